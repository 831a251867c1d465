// inlay quantise: a decoder of a model folder as a GGUF file, its matrices in fewer bits.
#include <fmt/core.h>

#include "base/text_table.h"
#include "base/units.h"
#include "cli/command.h"
#include "models/gguf_model.h"
#include "tensor/threads.h"

namespace inlay::cli {
namespace {

struct QuantiseOptions {
  Common common;
  std::string model, to, tables, out;
};

Json report_json(const GgufReport& report, const std::string& out) {
  Json kinds = Json::array();
  for (const GgufKindReport& kind : report.kinds) {
    kinds.push_back({{"kind", kind.kind},
                     {"type", kind.type},
                     {"tensors", kind.tensors},
                     {"relative_error", kind.error},
                     {"bytes_before", kind.bytes_before},
                     {"bytes_after", kind.bytes_after}});
  }
  return {{"out", out},
          {"root_hash", report.root_hash},
          {"kinds", kinds},
          {"no_tokenizer", report.no_tokenizer}};
}

void print_report(const GgufReport& report, const std::string& out) {
  TextTable table({"kind", "tensors", "type", "||W - Q|| / ||W||", "before", "after"});
  uint64_t before = 0, after = 0;
  for (const GgufKindReport& kind : report.kinds) {
    table.add_row({kind.kind, std::to_string(kind.tensors), kind.type,
                   fmt::format("{:.2g}", kind.error), format_bytes(kind.bytes_before),
                   format_bytes(kind.bytes_after)});
    before += kind.bytes_before;
    after += kind.bytes_after;
  }
  fmt::print("{}", table.text());
  fmt::print("\n{}: {} of {}\nroot hash {}\n", out, format_bytes(after), format_bytes(before),
             report.root_hash);
  if (!report.no_tokenizer.empty())
    fmt::print("The file has no tokenizer: {}. Put a tokenizer.json beside it.\n",
               report.no_tokenizer);
}

void run_quantise(const QuantiseOptions& options) {
  start_threads(options.common.threads);
  GgufTargets targets = gguf_targets(options.to, options.tables);
  GgufReport report = write_gguf_model(resolve_model(options.model), options.out, targets);
  if (options.common.json) return print_json(report_json(report, options.out));
  print_report(report, options.out);
}

}  // namespace

void add_quantise(CLI::App& app) {
  auto options = std::make_shared<QuantiseOptions>();
  CLI::App* command =
      app.add_subcommand("quantise", "Write a decoder as a GGUF file, in fewer bits where asked");
  command->add_option("--model", options->model, "a pulled name or a Hugging Face model folder")
      ->required();
  command->add_option("--to", options->to, "linear layers: q8_0, q4_0 (blocks), f16, bf16 or f32")
      ->required();
  command->add_option(
      "--tables", options->tables,
      "token table and output projection; default: q8_0 beside blocks, else as --to");
  command->add_option("--out", options->out, "the file, which ends in .gguf; must not be there")
      ->required();
  add_common(*command, options->common);
  command->footer(
      examples({"inlay quantise --model FOLDER --to q8_0 --out model.gguf",
                "inlay quantise --model FOLDER --to q4_0 --tables f16 --out model.gguf",
                "inlay train --model model.gguf --data chat.jsonl --task causal-lm --out runs/a"}));
  command->callback([options] { run_quantise(*options); });
}

}  // namespace inlay::cli
