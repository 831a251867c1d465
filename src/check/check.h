// What must hold before training, and a trial on a throw-away copy: a few tokens, two steps.
// Each finding has the id of its check, C-1 to C-14:
//
//   C-1 targets          C-6 head and labels     C-10 gradients
//   C-2 coverage         C-7 data                C-11 effect of training
//   C-3 ranks, shapes    C-8 memory              C-12 saving, merging, switching off
//   C-4 base             C-9 identity at start   C-13 size of activations
//   C-5 method on this architecture                C-14 layers that are computed once
//
//   CheckReport report = run_checks(subject);
//   if (!report.passed({"C-10"})) ...
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "base/json.h"
#include "data/dataset.h"
#include "eval/batch_pass.h"
#include "nn/memory_mode.h"

namespace inlay {

enum class Severity { kInfo, kWarning, kError };

struct Finding {
  std::string id;  // "C-7"
  Severity severity = Severity::kInfo;
  std::string text;
  Json details = Json::object();
};

// How a run takes its steps so that it fits into memory.
struct MemoryPlan {
  MemoryMode mode = MemoryMode::kFast;
  int64_t micro_batch_tokens = kMicroBatchTokens;
  // Bytes of memory that are left for what frozen layers gave (eval/frozen_prefix.h); 0: none, it
  // goes into a file.
  uint64_t prefix_room = 0;
};

struct CheckReport {
  std::vector<Finding> findings;
  MemoryPlan memory;
  double seconds = 0;

  // No error but those with these ids.
  bool passed(const std::vector<std::string>& allowed) const;
  Json to_json(const std::vector<std::string>& allowed) const;
};

// What is checked. The references outlive the checks.
struct CheckSubject {
  const Model& model;
  std::string method;
  // A fresh adapter with head and task, as training would begin.
  std::function<Learner()> fresh;
  const Dataset& data;
  ExampleSpan train, validation;
  std::vector<std::size_t> train_indices, test_indices;
  int64_t truncated = 0;
  DType compute = DType::kF32;
  BatchPlan plan = {.seed = 1, .batch_size = 32};
  int64_t epochs = 1;
  std::optional<MemoryMode> memory;  // unset: the first that fits
  int64_t micro_batch = 0;           // examples; 0: as many as micro_batch_tokens allow
  int64_t micro_batch_tokens = 0;    // of a plan; 0: kMicroBatchTokens, or fewer that fit
  uint64_t memory_limit = 0;         // bytes; 0: what the machine has free
  bool reuse = true;                 // of frozen layers' outputs, from epoch to epoch
  bool thorough = false;  // C-4's logits, C-11's twenty steps, C-12's merging of every layer
};

CheckReport run_checks(const CheckSubject& subject);

// The ids, for messages and for refusing an unknown one.
const std::vector<std::string>& check_ids();
// kUsage for an id that is none.
void require_check_ids(const std::vector<std::string>& ids);

std::string_view severity_name(Severity severity);  // "warning"

}  // namespace inlay
