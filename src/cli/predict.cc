// inlay predict: what an adapter, or a base alone, gives for texts, as JSON lines: labels and
// probabilities, tokens for gaps, embeddings.
#include <fmt/core.h>

#include "base/log.h"
#include "cli/column_flags.h"
#include "cli/command.h"
#include "cli/predict_several.h"
#include "data/input.h"
#include "data/lines.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/trainer.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

struct Options {
  Common common;
  std::string run, model, adapter, task, input = "-";
  std::string pooling = "auto";
  ColumnNames columns;
  SeveralOptions several;
  std::string compute;
  int64_t max_length = 0;
};

struct Opened : OpenedLearner {
  ColumnNames columns;
  std::string compute = "auto";
  int64_t max_length = 0;
};

// The named adapter or base, or a run's adapter (the first fold's) with what the run says about its
// input.
Opened open_source(const Options& options) {
  LearnerSource source{.task = options.task, .pooling = options.pooling};
  if (options.run.empty()) {
    source.model = resolve_model(options.model);
    source.adapter = options.adapter;
    return {open_learner(source)};
  }
  RunFolder run = RunFolder::open(options.run);
  TrainConfig config = read_run_config(run.path());
  source.model = resolve_model(config.model);
  source.adapter = config.folds > 0 ? run.path() / "fold-1" / "adapter" : run.adapter();
  return {open_learner(source),
          {.text = config.text_column,
           .text_pair = config.text_pair_column,
           .further = config.further_columns},
          config.compute,
          config.max_length};
}

// What the command line says goes before what the run says.
Opened open_with(const Options& options) {
  Opened opened = open_source(options);
  if (!options.columns.text.empty()) opened.columns = options.columns;
  if (!options.columns.text_pair.empty()) opened.columns.text_pair = options.columns.text_pair;
  if (!options.columns.further.empty()) opened.columns.further = options.columns.further;
  if (!options.compute.empty()) opened.compute = options.compute;
  if (options.max_length > 0) opened.max_length = options.max_length;
  return opened;
}

// Standard input and .txt files hold a text per line, unless a column is named.
// A task over several texts always reads a table, and one of language models what it is trained on.
Dataset read_texts(const Options& options, const ColumnNames& columns, TaskKind of_task) {
  bool several = of_several_texts(of_task) || of_task == TaskKind::kLanguage;
  bool lines = !several && (options.input == "-" || options.input.ends_with(".txt"));
  bool named = !options.columns.text.empty() || !options.columns.text_pair.empty() ||
               !options.columns.adapter.empty();
  if (lines && !named) return load_lines(options.input);
  Dataset data = load_dataset({.from = {.paths = {resolve_data(options.input)}},
                               .columns = columns,
                               .kind = several ? of_task : TaskKind::kUnlabelled,
                               .targets = false});
  log_info("{}: {} examples; {}", input_name(options.input), data.examples.size(),
           data.columns.describe());
  return data;
}

Json prediction_line(const Learner& learner, const ModelOutput& output) {
  Json line = learner.task->prediction(output);
  const Example& source = *output.example->source;
  if (!source.text.empty()) line["text"] = source.text;
  if (!source.text_pair.empty()) line["text_pair"] = source.text_pair;
  return line;
}

void run_several(const Options& options, const CLI::App& command) {
  check_several(options.several, command);
  require(!options.model.empty(), ErrorKind::kUsage, "give --model with --adapters");
  start_threads(options.common.threads);
  OpenedLearners opened = open_learners({.model = resolve_model(options.model),
                                         .adapters = options.several.adapters,
                                         .compose = options.several.compose,
                                         .task = options.task,
                                         .pooling = options.pooling});
  Dataset data = read_texts(options, options.columns, opened.learners[0].task->data);
  Context context(resolve_compute(options.compute.empty() ? "auto" : options.compute));
  std::vector<Json> lines =
      several_predictions(context, opened, options.several, data, options.max_length);
  for (const Json& line : lines) print_json(line);
  if (options.common.json) print_json({{"n", lines.size()}});
}

void run(Options options, const CLI::App& command) {
  options.columns.adapter = options.several.adapter_column;
  if (options.several.given()) return run_several(options, command);
  bool of_run = !options.run.empty();
  if (of_run) refuse_beside(command, "run", {"model", "adapter"});
  require(of_run || !options.model.empty(), ErrorKind::kUsage,
          "give either --run, or --model with --adapter, --adapters or --task");
  start_threads(options.common.threads);
  Opened opened = open_with(options);
  const Learner& learner = opened.learner;
  const BaseFacts& facts = learner.model->facts();
  Dataset data = read_texts(options, opened.columns, opened.task->data);
  std::vector<EncodedExample> encoded = encode_examples(
      data, *opened.tokenizer, facts,
      longest_input(*opened.tokenizer, facts, opened.max_length, positions_taken(learner)));
  std::vector<const EncodedExample*> all;
  all.reserve(encoded.size());
  for (const EncodedExample& example : encoded) all.push_back(&example);
  Context context(resolve_compute(opened.compute));
  activate(context, learner);
  std::vector<ModelOutput> outputs =
      predict(context, learner, all, {.kind = Occasion::Kind::kAnswer});
  for (const ModelOutput& output : outputs) print_json(prediction_line(learner, output));
  if (options.common.json) print_json({{"n", outputs.size()}});
}

}  // namespace

void add_predict(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "predict", "Label texts with a trained adapter, fill gaps or embed texts with any base");
  command->add_option("--run", options->run, "a run's folder");
  command->add_option("--model", options->model, "a pulled name or a Hugging Face model folder");
  command->add_option("--adapter", options->adapter, "an adapter's folder");
  command->add_option("--task", options->task,
                      "what is asked for; empty: what the adapter was trained for. masked-lm and "
                      "sentence-embedding go with any adapter, or none");
  command
      ->add_option("--pooling", options->pooling,
                   "of sentence-embedding: mean, first or pooler; auto: mean")
      ->check(CLI::IsMember({"auto", "mean", "first", "pooler"}));
  command->add_option("input", options->input,
                      "a table (CSV, TSV, JSONL), a .txt file with a text per line, or - for lines "
                      "on standard input; naming a column makes - and .txt a table, too");
  add_several_flags(*command, options->several);
  add_column_flags(*command, options->columns, TableUse::kTextsOnly);
  command->add_option("--compute", options->compute, "auto, f32 or bf16; the run's own with --run")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  command
      ->add_option("--max-length", options->max_length,
                   "tokens a text is cut to; the run's own with --run")
      ->check(CLI::Range(int64_t{1}, kMaxLength));
  add_common(*command, options->common);
  command->footer(
      examples({"echo 'A delight from start to finish.' | inlay predict --run runs/a",
                "inlay predict --run runs/a reviews.csv > predictions.jsonl",
                "inlay predict --model all-minilm-l6-v2 --adapter runs/a/adapter texts.txt",
                "inlay predict --model all-minilm-l6-v2 --adapters a=runs/a/adapter,"
                "b=runs/b/adapter --compose 'parallel(a, b)' reviews.csv",
                "inlay predict --model all-minilm-l6-v2 --task sentence-embedding texts.txt",
                "echo 'Paris is [MASK].' | inlay predict --model FOLDER --task masked-lm"}));
  command->callback([options, command] { run(*options, *command); });
}

}  // namespace inlay::cli
