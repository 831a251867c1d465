// inlay predict with several adapters: all of them on every text, or for each row the one that it
// names.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/opened_learners.h"

namespace inlay::cli {

struct SeveralOptions {
  std::vector<std::string> adapters;  // name=FOLDER
  std::string compose, adapter_column;

  bool given() const { return !adapters.empty() || !compose.empty() || !adapter_column.empty(); }
};

// --adapters, --compose and --adapter-column; the options must live until the command has run.
void add_several_flags(CLI::App& command, SeveralOptions& options);

// kUsage where the options do not make sense beside each other or the command's others.
void check_several(const SeveralOptions& options, const CLI::App& command);

// One JSON object per example. In parallel each learner's answer is under its name; else it is the
// line itself, with the name under "adapter" where rows name theirs.
std::vector<Json> several_predictions(Context& context, const OpenedLearners& opened,
                                      const SeveralOptions& options, const Dataset& data,
                                      int64_t max_length);

}  // namespace inlay::cli
