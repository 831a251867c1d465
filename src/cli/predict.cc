// inlay predict: labels and probabilities of texts, as JSON lines.
#include <fmt/core.h>

#include <iostream>

#include "base/files.h"
#include "cli/command.h"
#include "tensor/threads.h"
#include "train/saved_run.h"
#include "train/trainer.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

constexpr std::size_t kLongestLine = 1 << 20;

struct Options {
  Common common;
  std::string run, model, adapter, input = "-", text_column;
  std::string compute = "auto";
  int64_t max_length = 0;
};

// Standard input and .txt files: a text per line; empty lines are an error, so that lines and
// results stay in step.
Dataset read_lines(const std::string& where, std::istream& stream) {
  Dataset data;
  data.kind = TaskKind::kUnlabelled;
  data.files.push_back({.path = where});
  std::string line;
  std::size_t number = 0;
  while (std::getline(stream, line)) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    require(!line.empty(), ErrorKind::kInput, "{}:{}: an empty line; every line must hold a text",
            where, number);
    require(line.size() <= kLongestLine, ErrorKind::kInput,
            "{}:{}: a line of {} bytes; at most {} are read", where, number, line.size(),
            kLongestLine);
    data.examples.push_back({.text = line, .line = number});
  }
  require(!data.examples.empty(), ErrorKind::kInput, "{}: no text was found", where);
  return data;
}

Dataset read_input(const Options& options) {
  if (options.input == "-") return read_lines("standard input", std::cin);
  if (options.input.ends_with(".txt")) {
    std::istringstream stream(read_file(options.input));
    return read_lines(options.input, stream);
  }
  return load_dataset({.from = {.paths = {resolve_data(options.input)}},
                       .columns = {.text = options.text_column},
                       .kind = TaskKind::kUnlabelled});
}

// A run's adapter (the first fold's), or the named one.
Learner open_learner(const Options& options) {
  if (options.run.empty()) {
    auto model = load_model(resolve_model(options.model));
    return learner_from(model, load_adapter(options.adapter, model->facts()));
  }
  RunFolder run = RunFolder::open(options.run);
  TrainConfig config = read_run_config(run);
  auto model = load_model(resolve_model(config.model));
  std::filesystem::path folder =
      config.folds > 0 ? run.path() / "fold-1" / "adapter" : run.adapter();
  return learner_from(model, load_adapter(folder, model->facts()));
}

void run(const Options& options) {
  require(!options.run.empty() != !options.adapter.empty(), ErrorKind::kUsage,
          "give either --run, or --model and --adapter");
  start_threads(options.common.threads);
  Learner learner = open_learner(options);
  const BaseFacts& facts = learner.model->facts();
  Tokenizer tokenizer = Tokenizer::load(facts.folder);
  Dataset data = read_input(options);
  std::vector<EncodedExample> encoded =
      encode_examples(data, tokenizer, facts, longest_input(tokenizer, facts, options.max_length));
  std::vector<const EncodedExample*> all;
  for (const EncodedExample& example : encoded) all.push_back(&example);
  Context context(resolve_compute(options.compute));
  activate(context, learner);
  std::vector<ModelOutput> outputs = predict(context, learner, all);
  for (const ModelOutput& output : outputs) {
    Json line = learner.task->prediction(output);
    line["text"] = output.example->source->text;
    print_json(line);
  }
  if (options.common.json) print_json({{"n", outputs.size()}});
}

}  // namespace

void add_predict(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("predict", "Label texts with a trained adapter");
  command->add_option("--run", options->run, "a run's folder");
  command->add_option("--model", options->model, "a pulled name or a Hugging Face model folder");
  command->add_option("--adapter", options->adapter, "an adapter's folder");
  command->add_option("input", options->input,
                      "a table (CSV, TSV, JSONL), a .txt file with a text per line, or - for lines "
                      "on standard input");
  command->add_option("--text-column", options->text_column,
                      "the column with the text; guessed when empty");
  command->add_option("--compute", options->compute, "auto, f32 or bf16")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  command->add_option("--max-length", options->max_length, "tokens a text is cut to");
  add_common(*command, options->common);
  command->footer(
      examples({"echo 'A delight from start to finish.' | inlay predict --run runs/a",
                "inlay predict --run runs/a reviews.csv > predictions.jsonl",
                "inlay predict --model all-minilm-l6-v2 --adapter runs/a/adapter texts.txt"}));
  command->callback([options] { run(*options); });
}

}  // namespace inlay::cli
