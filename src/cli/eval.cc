// inlay eval: the figures of a run's adapter, or of any adapter on any labelled data, or of a base
// alone.
#include <fmt/core.h>

#include "base/log.h"
#include "cli/column_flags.h"
#include "cli/command.h"
#include "data/input.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/trainer.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

struct Options {
  Common common;
  std::string run, split = "test";
  std::string model, adapter, task, data;
  ColumnNames columns;
  std::string compute = "auto";
  int64_t max_length = 0;
};

struct Evaluated {
  std::string split;
  std::size_t n;
  Json metrics;
};

Evaluated evaluate_run(const Options& options) {
  RunFolder run = RunFolder::open(options.run);
  TrainConfig config = read_run_config(run.path());
  WorkbenchPaths paths{resolve_model(config.model), {}};
  if (!config.data.empty()) paths.data = {resolve_data(config.data)};
  Workbench bench = open_workbench(config, paths);
  std::vector<ModelOutput> outputs = outputs_of_run(run, bench, run_split_from_name(options.split));
  require(!outputs.empty(), ErrorKind::kInput, "the run has no {} examples", options.split);
  std::unique_ptr<Task> task = std::move(bench.make_learner(bench.splits[0]).task);
  return {options.split, outputs.size(), task->metrics(outputs)};
}

Evaluated evaluate_adapter(const Options& options) {
  OpenedLearner opened =
      open_learner({resolve_model(options.model), options.adapter, options.task});
  require_trainable(*opened.task);
  const Learner& learner = opened.learner;
  const BaseFacts& facts = learner.model->facts();
  Dataset data = load_dataset({.from = {.paths = {resolve_data(options.data)}},
                               .columns = options.columns,
                               .kind = opened.task->data,
                               .classes = opened.classes});
  log_info("{}: {} examples; {}", input_name(options.data), data.examples.size(),
           data.columns.describe());
  int64_t longest =
      longest_input(*opened.tokenizer, facts, options.max_length, positions_taken(learner));
  std::vector<EncodedExample> encoded = encode_examples(data, *opened.tokenizer, facts, longest);
  std::vector<const EncodedExample*> all;
  all.reserve(encoded.size());
  for (const EncodedExample& example : encoded) all.push_back(&example);
  Context context(resolve_compute(options.compute));
  activate(context, learner);
  return {"all", all.size(), learner.task->metrics(predict(context, learner, all))};
}

void run(const Options& options, const CLI::App& command) {
  bool of_run = !options.run.empty();
  require(of_run || !options.model.empty(), ErrorKind::kUsage,
          "give either --run, or --model and --data with --adapter or --task");
  if (of_run) {
    refuse_beside(command, "run",
                  {"model", "adapter", "task", "data", "compute", "max-length", "text-column",
                   "text-pair-column", "label-column", "further-columns"});
  } else {
    refuse_beside(command, "model", {"split"});
  }
  require(of_run || !options.data.empty(), ErrorKind::kUsage, "no data was given; use --data");
  start_threads(options.common.threads);
  Evaluated evaluated = of_run ? evaluate_run(options) : evaluate_adapter(options);
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
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("eval", "Evaluate a run, or an adapter on labelled data");
  command->add_option("--run", options->run, "a run's folder: its own data and split");
  command->add_option("--split", options->split, "train, validation or test, of a run")
      ->capture_default_str();
  command->add_option("--model", options->model, "a pulled name or a Hugging Face model folder");
  command->add_option("--adapter", options->adapter, "an adapter's folder");
  command->add_option("--task", options->task,
                      "with --model; empty: what the adapter was trained for. masked-lm needs no "
                      "adapter and no labels");
  command->add_option("--data", options->data,
                      "labelled data: a pulled name, a file, a folder, - for standard input");
  command->add_option("--compute", options->compute, "auto, f32 or bf16; with --model")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  command
      ->add_option("--max-length", options->max_length, "tokens an example is cut to; with --model")
      ->check(CLI::Range(int64_t{1}, kMaxLength));
  add_column_flags(*command, options->columns, TableUse::kLabelled);
  add_common(*command, options->common);
  command->footer(examples(
      {"inlay eval --run runs/a", "inlay eval --run runs/a --split validation --json",
       "inlay eval --model all-minilm-l6-v2 --adapter runs/a/adapter --data new_reviews.csv",
       "inlay eval --model FOLDER --task masked-lm --data corpus.txt"}));
  command->callback([options, command] { run(*options, *command); });
}

}  // namespace inlay::cli
