// inlay eval: the figures of a run's adapter on its own data or on other, of any adapter on any
// labelled data, or of a base alone.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "cli/asked_learner.h"
#include "cli/column_flags.h"
#include "cli/command.h"
#include "data/input.h"
#include "eval/rolling_windows.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/trainer.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

struct EvalOptions {
  Common common;
  AskedLearner asked;
  std::string split = "test", data;
  std::optional<int64_t> window_stride;
};

struct Evaluated {
  std::string split;
  std::size_t n;
  Json metrics;
};

Evaluated evaluate_run(const EvalOptions& options) {
  RunFolder run = RunFolder::open(options.asked.run);
  TrainConfig config = read_run_config(run.path());
  WorkbenchPaths paths{resolve_model(config.model), {}};
  if (!config.data.empty()) paths.data = {resolve_data(config.data)};
  Workbench bench = open_workbench(config, paths);
  std::vector<ModelOutput> outputs = outputs_of_run(run, bench, run_split_from_name(options.split));
  require(!outputs.empty(), ErrorKind::kInput, "the run has no {} examples", options.split);
  std::unique_ptr<Task> task = std::move(bench.make_learner(bench.splits[0]).task);
  return {options.split, outputs.size(), task->metrics(outputs)};
}

// In windows that overlap where a stride is given.
std::vector<EncodedExample> encoded_for(const EvalOptions& options, const OpenedAsked& opened,
                                        const Dataset& data) {
  if (!options.window_stride.has_value()) return encode_asked(opened, data);
  require(data.kind == TaskKind::kLanguage, ErrorKind::kUsage,
          "window_stride has no effect on {}; leave it out", opened.task->name);
  return rolling_windows(
      encode_examples(data, *opened.tokenizer, opened.learner.model->facts(), 0, opened.reading),
      {.length = longest_asked(opened), .stride = *options.window_stride});
}

Evaluated evaluate_data(const EvalOptions& options) {
  OpenedAsked opened = open_asked(options.asked);
  if (opened.task->headline.empty()) require_trainable(*opened.task);
  const Learner& learner = opened.learner;
  Dataset data = load_dataset({.from = {.paths = {resolve_data(options.data)}},
                               .columns = opened.columns,
                               .kind = opened.task->data,
                               .format = opened.format,
                               .classes = opened.classes});
  log_info("{}: {} examples; {}", input_name(options.data), data.examples.size(),
           data.columns.describe());
  std::vector<EncodedExample> encoded = encoded_for(options, opened, data);
  std::vector<const EncodedExample*> all;
  all.reserve(encoded.size());
  for (const EncodedExample& example : encoded) all.push_back(&example);
  auto cut = std::count_if(encoded.begin(), encoded.end(),
                           [](const EncodedExample& example) { return example.truncated; });
  if (cut > 0) log_info("{} of {} examples are cut to the longest input", cut, encoded.size());
  require(!all.empty(), ErrorKind::kInput, "{}: nothing in it counts towards a figure",
          input_name(options.data));
  Context context(resolve_compute(opened.compute));
  activate(context, learner);
  return {"all", all.size(), learner.task->metrics(predict(context, learner, all))};
}

// What would have no effect, and what is missing.
void check_flags(const EvalOptions& options, const CLI::App& command) {
  bool of_run = !options.asked.run.empty(), of_data = !options.data.empty();
  require(of_run || !options.asked.model.empty(), ErrorKind::kUsage,
          "give either --run, or --model and --data with --adapter or --task");
  if (of_run) refuse_beside(command, "run", {"model", "adapter"});
  if (!of_run) refuse_beside(command, "model", {"split"});
  if (of_data) refuse_beside(command, "data", {"split"});
  require(of_run || of_data, ErrorKind::kUsage, "no data was given; use --data");
  if (of_data) return;
  refuse_beside(command, "run",
                {"task", "compute", "quantise", "max-length", "window-stride", "text-column",
                 "text-pair-column", "label-column", "further-columns"});
}

void run_eval(const EvalOptions& options, const CLI::App& command) {
  check_flags(options, command);
  start_threads(options.common.threads);
  Evaluated evaluated = options.data.empty() ? evaluate_run(options) : evaluate_data(options);
  if (options.common.json) {
    print_json({{"split", evaluated.split}, {"n", evaluated.n}, {"metrics", evaluated.metrics}});
    return;
  }
  fmt::print("{}, {} examples:\n", evaluated.split, evaluated.n);
  for (const auto& [name, value] : evaluated.metrics.items()) {
    if (value.is_number()) fmt::print("  {:18} {}\n", name, figure_text(value));
  }
}

}  // namespace

void add_eval(CLI::App& app) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* command = app.add_subcommand("eval", "Evaluate a run, or an adapter on labelled data");
  add_learner_flags(*command, options->asked,
                    "with --data; empty: what the adapter was trained for. masked-lm, causal-lm "
                    "and causal-choice go with any adapter, or none");
  command
      ->add_option("--split", options->split,
                   "train, validation or test, of a run's own data; without --data")
      ->capture_default_str();
  command->add_option("--data", options->data,
                      "labelled data: a pulled name, a file, a folder, - for standard input; "
                      "empty: the run's own");
  command->add_option("--window-stride", options->window_stride,
                      "of causal-lm: judge long texts in windows of max_length tokens that begin "
                      "so many apart, every token once; without it they are split");
  add_column_flags(*command, options->asked.columns, TableUse::kLabelled);
  add_common(*command, options->common);
  command->footer(examples(
      {"inlay eval --run runs/a", "inlay eval --run runs/a --split validation --json",
       "inlay eval --model all-minilm-l6-v2 --adapter runs/a/adapter --data new_reviews.csv",
       "inlay eval --model FOLDER --task masked-lm --data corpus.txt",
       "inlay eval --model FOLDER --task causal-choice --data questions.jsonl",
       "inlay eval --model FOLDER --task causal-lm --data corpus.txt --window-stride 512"}));
  command->callback([options, command] { run_eval(*options, *command); });
}

}  // namespace inlay::cli
