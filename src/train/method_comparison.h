// How methods compare that were trained on the same base, data and seeds: read from their run
// folders into one JSON document, from which every table is drawn.
//
//   std::vector<ComparedRun> runs;
//   runs.push_back(read_compared_run("out/lora/seed-1", "lora", 1));
//   runs.push_back({.method = "vera", .seed = 1, .error = "no site matches"});
//   Json document = comparison_json(runs, kBaselineMethod);
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace inlay {

// What adapters are compared with: the base as it is, under a trained head.
inline constexpr const char* kBaselineMethod = "head";

struct ComparedRun {
  std::string method;
  int64_t seed = 0;
  std::string error;  // "": it is finished, and the rest holds
  std::string folder;
  std::string metric;  // the first of the task's headline that was measured on the test part
  double value = 0;
  int64_t parameters = 0;  // trained, without the head's
  int64_t file_bytes = 0;  // of the adapter's and the head's safetensors
  int64_t epochs = 0;
  double epoch_seconds = 0;    // of training steps, without validation
  int64_t peak_rss_bytes = 0;  // of the process that trained it
  std::string examples;        // equal for runs with the same base, data and split
  // Right answers by test row; empty where answers are not simply right or wrong.
  std::map<std::string, bool> right;
};

// kInput for a folder that is no finished run of this method and seed, or has no figure.
ComparedRun read_compared_run(const std::filesystem::path& folder, const std::string& method,
                              int64_t seed);

// {metric, seeds, baseline, methods: [{method, mean, sd, parameters, file_bytes, epoch_seconds,
// peak_rss_bytes, difference, runs, errors}]} in the order in which methods first appear. `sd` is
// the sample's over seeds. `difference` is to the baseline on the seeds that both finished: its
// mean and, for accuracy, the 95 % interval of a bootstrap over test rows, all seeds of a row drawn
// together. A run on other examples than the baseline's of its seed becomes an error.
Json comparison_json(std::vector<ComparedRun> runs, const std::string& baseline);

}  // namespace inlay
