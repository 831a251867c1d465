// What a command asks: a run's adapter, an adapter, or a base alone. The flags that say so, and the
// learner that they mean.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

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

// With what a run's settings say about its input; the command line goes before them.
struct OpenedAsked : OpenedLearner {
  ColumnNames columns;
  std::string compute = "auto";
  int64_t max_length = 0;
};

// A run's adapter is that of its first fold where it has folds.
OpenedAsked open_asked(const AskedLearner& asked);

}  // namespace inlay::cli
