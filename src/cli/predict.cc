// inlay predict: what an adapter, or a base alone, gives for texts, as JSON lines: labels and
// probabilities, tokens for gaps, embeddings.
#include <fmt/core.h>

#include "base/log.h"
#include "cli/asked_learner.h"
#include "cli/column_flags.h"
#include "cli/command.h"
#include "cli/predict_several.h"
#include "data/chat/language_dataset.h"
#include "data/input.h"
#include "data/lines.h"
#include "tensor/threads.h"
#include "train/trainer.h"

namespace inlay::cli {
namespace {

struct PredictOptions {
  Common common;
  AskedLearner asked;
  std::string input = "-";
  SeveralOptions several;
};

// Standard input and .txt files hold a text per line, unless a column is named.
// A task over several texts always reads a table, and one of language models what it is trained on.
Dataset read_texts(const PredictOptions& options, ColumnNames columns, TaskKind of_task,
                   const std::string& format = "") {
  columns.label.clear();
  if (of_images(of_task)) {
    return load_dataset({.from = {.paths = {resolve_data(options.input)}},
                         .columns = columns,
                         .kind = of_task,
                         .targets = false});
  }
  bool several = of_several_texts(of_task) || read_by_format(of_task);
  bool lines = !several && (options.input == "-" || options.input.ends_with(".txt"));
  const ColumnNames& given = options.asked.columns;
  bool named = !given.text.empty() || !given.text_pair.empty() || !given.adapter.empty();
  if (lines && !named) return load_lines(options.input);
  Dataset data = load_dataset({.from = {.paths = {resolve_data(options.input)}},
                               .columns = columns,
                               .kind = several ? of_task : TaskKind::kUnlabelled,
                               .format = format,
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

void run_several(const PredictOptions& options, const CLI::App& command) {
  check_several(options.several, command);
  const AskedLearner& asked = options.asked;
  require(!asked.model.empty(), ErrorKind::kUsage, "give --model with --adapters");
  start_threads(options.common.threads);
  OpenedLearners opened =
      open_learners({.model = resolve_model(asked.model),
                     .adapters = options.several.adapters,
                     .compose = options.several.compose,
                     .task = asked.task,
                     .pooling = asked.pooling,
                     .quantise = asked.quantise.empty() ? "none" : asked.quantise});
  Dataset data = read_texts(options, asked.columns, opened.learners[0].task->data);
  Context context(resolve_compute(asked.compute.empty() ? "auto" : asked.compute));
  std::vector<Json> lines =
      several_predictions(context, opened, options.several, data, asked.max_length);
  for (const Json& line : lines) print_json(line);
  if (options.common.json) print_json({{"n", lines.size()}});
}

void run_predict(PredictOptions options, const CLI::App& command) {
  options.asked.columns.adapter = options.several.adapter_column;
  if (options.several.given()) return run_several(options, command);
  bool of_run = !options.asked.run.empty();
  if (of_run) refuse_beside(command, "run", {"model", "adapter"});
  require(of_run || !options.asked.model.empty(), ErrorKind::kUsage,
          "give either --run, or --model with --adapter, --adapters or --task");
  start_threads(options.common.threads);
  OpenedAsked opened = open_asked(options.asked);
  const Learner& learner = opened.learner;
  Dataset data = read_texts(options, opened.columns, opened.task->data, opened.format);
  std::vector<EncodedExample> encoded = encode_asked(opened, data);
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
  auto options = std::make_shared<PredictOptions>();
  CLI::App* command = app.add_subcommand(
      "predict", "Label texts with a trained adapter, fill gaps or embed texts with any base");
  add_learner_flags(*command, options->asked,
                    "what is asked for; empty: what the adapter was trained for. masked-lm, "
                    "causal-lm, causal-choice, sentence-embedding and image-embedding go with any "
                    "adapter, or none");
  add_pooling_flag(*command, options->asked);
  command->add_option("input", options->input,
                      "a table (CSV, TSV, JSONL), a .txt file with a text per line, or - for lines "
                      "on standard input; naming a column makes - and .txt a table, too");
  add_several_flags(*command, options->several);
  add_column_flags(*command, options->asked.columns, TableUse::kTextsOnly);
  add_common(*command, options->common);
  command->footer(
      examples({"echo 'A delight from start to finish.' | inlay predict --run runs/a",
                "inlay predict --run runs/a reviews.csv > predictions.jsonl",
                "inlay predict --model all-minilm-l6-v2 --adapter runs/a/adapter texts.txt",
                "inlay predict --model all-minilm-l6-v2 --adapters a=runs/a/adapter,"
                "b=runs/b/adapter --compose 'parallel(a, b)' reviews.csv",
                "inlay predict --model all-minilm-l6-v2 --task sentence-embedding texts.txt",
                "echo 'Paris is [MASK].' | inlay predict --model FOLDER --task masked-lm"}));
  command->callback([options, command] { run_predict(*options, *command); });
}

}  // namespace inlay::cli
