// What a command asks: a run's adapter, an adapter, or a base alone. The flags that say so, and the
// learner that they mean.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "data/sources.h"
#include "eval/opened_learner.h"

namespace inlay::cli {

// The option of every command that loads a base without a run.
void add_quantise_flag(CLI::App& command, std::string& quantise);

// Empty: what the run says, or the default without a run.
struct AskedLearner {
  std::string run, model, adapter, task;
  std::string pooling = "auto";
  std::string quantise, compute;
  int64_t max_length = 0;
  ColumnNames columns;
};

// --run, --model, --adapter, --task, --quantise, --compute and --max-length. The object must live
// until the command has run.
void add_learner_flags(CLI::App& command, AskedLearner& asked, const std::string& task_help);
// --pooling, where embeddings can be asked for.
void add_pooling_flag(CLI::App& command, AskedLearner& asked);

// With what a run's settings say about its input; the command line goes before them. Those of its
// task hold where that task is asked for.
struct OpenedAsked : OpenedLearner {
  ColumnNames columns = {};
  std::string compute = "auto";
  int64_t max_length = 0;
  int64_t image_size = 0;   // of pictures; 0: what the base's files say
  std::string format = {};  // of conversations and texts; empty: recognised
  LanguageReading reading = {};
  onednn::Reading reference = onednn::Reading::kPacked;  // of the base's weights, for add_reference
};

// A run's adapter is that of its first fold where it has folds.
OpenedAsked open_asked(const AskedLearner& asked);

// The most tokens that the learner reads at a time.
int64_t longest_asked(const OpenedAsked& opened);
// The examples of the data as it reads them, with what the base alone gives where the task refers
// to that.
std::vector<EncodedExample> encode_asked(const OpenedAsked& opened, const Dataset& data);

}  // namespace inlay::cli
