// What training on a base takes in each memory mode, on the base as its files have it and on
// quantised ones, for micro-batches of several sizes: what `inlay plan` prints. A step on 256 made
// up tokens is measured, the rest is reckoned from it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "nn/memory_mode.h"
#include "tensor/dtype.h"

namespace inlay {

struct SurveyRow {
  std::string base;  // "as stored", "int8", "nf4"
  MemoryMode mode = MemoryMode::kFast;
  std::vector<uint64_t> bytes;  // of the whole run, for each of MemorySurvey::tokens
};

struct MemorySurvey {
  std::vector<int64_t> tokens;  // of a micro-batch
  std::vector<SurveyRow> rows;
  uint64_t limit = 0;
  std::string task;
  int64_t trained = 0;  // numbers that the method trains

  Json to_json() const;
};

// Task causal-lm on a language model, text-classification on any other base. `limit`: bytes; 0:
// what the machine has free. kUsage for a method that there is not, or that does not fit the base.
MemorySurvey survey_memory(const std::filesystem::path& model, const std::string& method,
                           DType compute, uint64_t limit);

}  // namespace inlay
