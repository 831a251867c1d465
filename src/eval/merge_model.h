// Merging as a whole: a new model folder from a base and an adapter, read back and compared with
// the two on probe texts before it takes its name.
//
//   MergeReport report = merge_model({.model = base, .adapter = "runs/a/adapter", .out =
//   "merged"});
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/opened_learner.h"

namespace inlay {

// How far the merged model's logits are from those of base and adapter.
struct LogitDifference {
  DType compute;
  int64_t values = 0;  // compared
  double max = 0, mean = 0;
  double effect = 0;  // the largest change that the adapter itself makes to the base's logits
};

// Texts of the first examples that probe at most `limit`; without data, token ids of a fixed draw.
struct ProbeTexts {
  const Dataset* data = nullptr;
  const Tokenizer* tokenizer = nullptr;
};
std::vector<TokenSequence> probe_sequences(const BaseFacts& base, const ProbeTexts& texts,
                                           int64_t limit = 32);

// `learner` has base, adapter and head; logits of the base with the adapter against those of
// `merged` without. Where the task has no head, what is compared is masked-LM logits or the mean of
// the hidden states.
LogitDifference compare_merged(const Learner& learner, std::shared_ptr<const Model> merged,
                               const std::vector<TokenSequence>& probe, DType compute);

struct MergeRequest {
  std::filesystem::path model, adapter, out;
  ProbeTexts texts = {};
  std::string quantise = "none";  // also compare with the base and adapter in this form
};

struct MergeReport {
  std::string root_hash;  // of the merged model
  std::string head;       // "classifier" (in the model), "head/" (an adapter folder beside), ""
  std::size_t tensors = 0, changed = 0;
  std::vector<LogitDifference> differences;  // F32 and BF16
  // The same against the quantised base with the adapter; empty where none was asked for.
  std::vector<LogitDifference> quantised_differences;
};

// The adapter is merged into the weights as the base's files hold them, never into quantised ones.
// kUsage when `out` is there already, or when the adapter cannot be merged (merge_into). Nothing is
// left behind then. The trained head is also written to `out`/head, an adapter folder without
// adapter for the merged model, which every command takes.
MergeReport merge_model(const MergeRequest& request);

}  // namespace inlay
