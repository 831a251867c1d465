// inlay check: what must hold before training, with a trial of a few steps on a throw-away copy;
// or, for a trained adapter, whether it fits its base and has an effect.
#include <fmt/core.h>

#include "base/text_table.h"
#include "cli/command.h"
#include "cli/config_flags.h"
#include "tensor/threads.h"
#include "train/run_check.h"

namespace inlay::cli {
namespace {

struct CheckOptions {
  Common common;
  TrainConfig config;
  std::string adapter;
  bool thorough = false;
};

void print_report(const CheckReport& report, const std::vector<std::string>& allowed) {
  for (const Finding& finding : report.findings) {
    fmt::print("{:5} {:8} {}\n", finding.id, severity_name(finding.severity), finding.text);
    if (!finding.details.contains("grid")) continue;
    TextTable table({"site", "layers"});
    for (const auto& [kind, row] : finding.details.at("grid").items())
      table.add_row({kind, row.get<std::string>()});
    fmt::print("{}", table.text());
  }
  fmt::print("{} in {:.1f} s\n", report.passed(allowed) ? "passed" : "failed", report.seconds);
}

// C-4 for a trained adapter: it loads onto this base with every tensor in its place, or the error
// says what differs. Its method and settings are then what is checked.
void take_adapter(const CheckOptions& options, const Workbench& bench, CheckReport& report) {
  LoadedAdapter loaded = load_adapter(options.adapter, bench.model->facts());
  std::string method = loaded.adapter != nullptr ? loaded.adapter->method_text() : "head";
  report.findings.insert(
      report.findings.begin(),
      {"C-4",
       Severity::kInfo,
       fmt::format("{} is an adapter of this base", options.adapter),
       {{"method", method}, {"hash", adapter_hash(loaded.adapter.get(), loaded.head.get())}}});
}

void run_check(CheckOptions& options) {
  TrainConfig& config = options.config;
  require(!config.data.empty() || !config.train_file.empty(), ErrorKind::kUsage,
          "no data was given; use --data with a file, a folder or a pulled name, or --train-file");
  WorkbenchPaths paths{resolve_model(config.model), {}};
  if (!config.data.empty()) paths.data = {resolve_data(config.data)};
  start_threads(options.common.threads);
  Workbench bench = open_workbench(config, paths);
  if (!options.adapter.empty()) {
    LoadedAdapter loaded = load_adapter(options.adapter, bench.model->facts());
    if (loaded.adapter != nullptr) bench.config.method = loaded.adapter->method_text();
  }
  CheckReport report = check_run(bench, options.thorough);
  if (!options.adapter.empty()) take_adapter(options, bench, report);
  if (options.common.json) {
    Json json = report.to_json(config.allow);
    json["seconds"] = report.seconds;
    print_json(json);
  } else {
    print_report(report, config.allow);
  }
  require_passed(report, bench.config);
}

}  // namespace

void add_check(CLI::App& app) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand(
      "check", "Check model, method, data and adapter before training, with a trial of two steps");
  add_flags(*command, fields_of(options->config));
  command->add_option("--adapter", options->adapter,
                      "a trained adapter: whether it is of this base, and its method");
  command->add_flag("--thorough", options->thorough,
                    "also twenty steps on one batch, every layer merged, all methods on this base");
  add_common(*command, options->common);
  command->footer(
      examples({"inlay check --model all-minilm-l6-v2 --data sentiment-sentences",
                "inlay check --model all-minilm-l6-v2 --data reviews.csv --method "
                "'lora[target_modules=query+value]' --thorough",
                "inlay check --model all-minilm-l6-v2 --data reviews.csv --adapter runs/a/adapter "
                "--json"}));
  command->callback([options] { run_check(*options); });
}

}  // namespace inlay::cli
