// inlay merge: a new model folder from a base and an adapter, compared with the two before it takes
// its name.
#include <fmt/core.h>

#include "base/text_table.h"
#include "cli/column_flags.h"
#include "cli/command.h"
#include "data/input.h"
#include "data/lines.h"
#include "eval/merge_model.h"
#include "models/base_text.h"
#include "tensor/threads.h"

namespace inlay::cli {
namespace {

struct MergeOptions {
  Common common;
  std::string model, adapter, out, data, quantise = "none";
  ColumnNames columns;
};

Json difference_json(const LogitDifference& difference) {
  return {{"compute", dtype_name(difference.compute)},
          {"values", difference.values},
          {"max", difference.max},
          {"mean", difference.mean},
          {"adapter_effect", difference.effect}};
}

Json list_json(const std::vector<LogitDifference>& differences) {
  Json list = Json::array();
  for (const LogitDifference& difference : differences) list.push_back(difference_json(difference));
  return list;
}

Json report_json(const MergeReport& report, const std::string& out) {
  Json json{{"out", out},
            {"root_hash", report.root_hash},
            {"tensors", report.tensors},
            {"changed", report.changed},
            {"head", report.head.empty() ? Json() : Json(report.head)},
            {"differences", list_json(report.differences)}};
  if (!report.quantised_differences.empty())
    json["quantised_differences"] = list_json(report.quantised_differences);
  return json;
}

void print_differences(const std::vector<LogitDifference>& differences) {
  TextTable table(
      {"compute", "logits", "max |difference|", "mean |difference|", "adapter's effect"});
  for (const LogitDifference& difference : differences) {
    table.add_row({std::string(dtype_name(difference.compute)), std::to_string(difference.values),
                   fmt::format("{:.3g}", difference.max), fmt::format("{:.3g}", difference.mean),
                   fmt::format("{:.3g}", difference.effect)});
  }
  fmt::print("{}", table.text());
}

void print_report(const MergeReport& report, const MergeOptions& options) {
  const std::string& out = options.out;
  fmt::print("{}: {} of {} tensors changed\nroot hash {}\n", out, report.changed, report.tensors,
             report.root_hash);
  if (report.head == "head/") {
    fmt::print("The head is none of Hugging Face's for this family: it is in {}/head alone.\n",
               out);
  } else if (!report.head.empty()) {
    fmt::print("The head is in the model as {}.*, and in {}/head.\n", report.head, out);
  }
  if (!report.head.empty())
    fmt::print("Use it: inlay predict --model {} --adapter {}/head\n", out, out);
  fmt::print("\nmerged model against base and adapter\n");
  print_differences(report.differences);
  if (report.quantised_differences.empty()) return;
  fmt::print("\nmerged model against the base in {} and adapter\n", options.quantise);
  print_differences(report.quantised_differences);
}

Dataset read_texts(const MergeOptions& options) {
  if (options.data.ends_with(".txt") && options.columns.text.empty())
    return load_lines(options.data);
  return load_dataset({.from = {.paths = {resolve_data(options.data)}},
                       .columns = options.columns,
                       .kind = TaskKind::kUnlabelled});
}

void run_merge(const MergeOptions& options) {
  start_threads(options.common.threads);
  MergeRequest request{.model = resolve_model(options.model),
                       .adapter = options.adapter,
                       .out = options.out,
                       .quantise = options.quantise};
  Dataset data;
  std::unique_ptr<Tokenizer> tokenizer;
  if (!options.data.empty()) {
    data = read_texts(options);
    tokenizer = std::make_unique<Tokenizer>(load_base_tokenizer(request.model));
    request.texts = {&data, tokenizer.get()};
  }
  MergeReport report = merge_model(request);
  if (options.common.json) return print_json(report_json(report, options.out));
  print_report(report, options);
}

}  // namespace

void add_merge(CLI::App& app) {
  auto options = std::make_shared<MergeOptions>();
  CLI::App* command =
      app.add_subcommand("merge", "Write a new model folder with an adapter merged into its base");
  command->add_option("--model", options->model, "a pulled name or a Hugging Face model folder")
      ->required();
  command->add_option("--adapter", options->adapter, "an adapter's folder")->required();
  command->add_option("--out", options->out, "the new model's folder; must not be there")
      ->required();
  command->add_option("--data", options->data,
                      "texts to compare on, a table or a .txt file; without it a fixed draw of "
                      "token ids");
  command->add_option("--quantise", options->quantise,
                      "also compare with the base in int8, nf4, q8_0 or q4_0, as the adapter was "
                      "trained on it; what is merged are the weights of the base's files");
  add_column_flags(*command, options->columns, TableUse::kTextsOnly);
  add_common(*command, options->common);
  command->footer(
      examples({"inlay merge --model all-minilm-l6-v2 --adapter runs/a/adapter --out merged",
                "inlay merge --model all-minilm-l6-v2 --adapter runs/a/adapter --out merged --data "
                "reviews.csv --json"}));
  command->callback([options] { run_merge(*options); });
}

}  // namespace inlay::cli
