// inlay train: trains an adapter, with a head where the task has one, tests it, and writes a run
// folder.
#include <fmt/format.h>

#include "adapters/method.h"
#include "base/process.h"
#include "base/text_table.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/config_flags.h"
#include "cli/narrator.h"
#include "cli/registration.h"
#include "eval/task.h"
#include "tensor/threads.h"
#include "train/new_base.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

struct TrainOptions {
  Common common;
  TrainConfig config;
  std::string out;
  std::string resume;
  std::string from_config, tokenizer;
};

// The mean weight of each adapter where a fusion mixes them.
void print_mixture(const Json& mixture) {
  std::vector<std::string> header{"fusion at"};
  for (const auto& [name, weight] : mixture.begin()->items()) header.push_back(name);
  TextTable table(header);
  for (const auto& [site, weights] : mixture.items()) {
    std::vector<std::string> row{site};
    for (const auto& [name, weight] : weights.items())
      row.push_back(fmt::format("{:.3f}", weight.get<double>()));
    table.add_row(std::move(row));
  }
  fmt::print("{}", table.text());
}

void print_summary(const Json& summary) {
  const Json& metrics = summary.at("metrics");
  if (!metrics.empty()) fmt::print("test, {} examples:\n", summary.at("n").get<int64_t>());
  for (const auto& [name, value] : metrics.items()) {
    if (!value.is_number()) continue;
    std::string interval;
    if (metrics.contains(name + "_interval")) {
      interval = fmt::format("  (95 %: {:.4f} to {:.4f})",
                             metrics.at(name + "_interval").at(0).get<double>(),
                             metrics.at(name + "_interval").at(1).get<double>());
    }
    fmt::print("  {:18} {}{}\n", name, figure_text(value), interval);
  }
  if (summary.at("duplicates").at("count").get<int64_t>() > 0) {
    fmt::print("note: {} test texts also stand in the training part, such as\n",
               summary.at("duplicates").at("count").get<int64_t>());
    for (const Json& pair : summary.at("duplicates").at("first"))
      fmt::print("  {}\n", pair.get<std::string>());
  }
  if (summary.contains("mixture")) print_mixture(summary.at("mixture"));
  fmt::print("time {}, {} tok/s, {} of peak, {} of memory\n",
             format_seconds(summary.at("seconds").get<double>()),
             format_count(static_cast<int64_t>(summary.at("tokens_per_second").get<double>())),
             format_percent(summary.at("share_of_peak").get<double>()),
             format_bytes(summary.at("peak_rss_bytes").get<uint64_t>()));
  fmt::print("adapter {}\nreport  {}/report.html\n", summary.at("adapter").get<std::string>(),
             summary.at("run").get<std::string>());
}

// Everything else is in the run's folder.
void refuse_beside_resume(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    std::string name = option->get_name();
    bool allowed = name == "--resume" || name == "--threads" || name == "--json";
    require(allowed || option->count() == 0, ErrorKind::kUsage,
            "{} has no effect beside --resume: the run goes on with its own settings; leave it out",
            name);
  }
}

// Says how to go on when the user asked to stop.
Json train_or_explain(const TrainOptions& options, const WorkbenchPaths& paths, RunStart start,
                      RunObserver& observer) try {
  return run_training(options.config, paths, options.out, start, observer);
} catch (const Error& error) {
  bool resumable = error.kind() == ErrorKind::kInterrupted &&
                   std::filesystem::exists(std::filesystem::path(options.out) / "config.json");
  if (!resumable) throw;
  fail(ErrorKind::kInterrupted, "{}; go on with: inlay train --resume {}", error.what(),
       options.out);
}

// A model folder that is there from now on.
void make_base(const TrainOptions& options) {
  require(!options.tokenizer.empty() && !options.config.model.empty(), ErrorKind::kUsage,
          "--from-config makes a new base: give the folder to make with --model, and with "
          "--tokenizer one that has its tokenizer");
  make_new_base(options.from_config, resolve_model(options.tokenizer), options.config.model,
                static_cast<uint64_t>(options.config.seed));
}

void run_train(TrainOptions& options, const CLI::App& command) {
  install_interrupt_handler();
  RunStart start = RunStart::kNew;
  if (!options.resume.empty()) {
    refuse_beside_resume(command);
    options.config = read_run_config(options.resume);
    options.out = options.resume;
    start = RunStart::kResume;
  }
  require(!options.out.empty(), ErrorKind::kUsage,
          "no folder for the run was given; use --out runs/NAME");
  const TrainConfig& config = options.config;
  require(!config.data.empty() || !config.train_file.empty(), ErrorKind::kUsage,
          "no data was given; use --data with a file, a folder or a pulled name, or --train-file");
  if (!options.from_config.empty()) make_base(options);
  require(options.tokenizer.empty() || !options.from_config.empty(), ErrorKind::kUsage,
          "--tokenizer goes with --from-config: a base that is there has its own");
  WorkbenchPaths paths{resolve_model(config.model), {}};
  if (!config.data.empty()) paths.data = {resolve_data(config.data)};
  start_threads(options.common.threads);
  Narrator narrator;
  Json summary = train_or_explain(options, paths, start, narrator);
  if (options.common.json) {
    print_json(summary);
  } else {
    print_summary(summary);
  }
  register_folder(options.out);
}

std::string tasks_text() {
  std::string text = "Tasks, and what --metric can be:";
  for (const TaskInfo* info : all_tasks()) {
    if (!info->trainable) continue;
    text += fmt::format("\n  {}: {}\n      {}", info->name, info->summary,
                        fmt::join(info->choosing_metrics, ", "));
  }
  return text;
}

std::string setting_text(const FieldInfo& field) {
  std::string kind =
      field.choices.empty() ? field.type : fmt::format("{}", fmt::join(field.choices, " | "));
  return fmt::format("\n      {}={}  {} ({})", field.name, field.default_text, field.help, kind);
}

std::string methods_text() {
  std::string text = "Methods, and their settings with the defaults:";
  for (const MethodInfo* info : all_methods()) {
    text += fmt::format("\n  {}: {}", info->name, info->summary);
    std::unique_ptr<Method> method = info->make();
    for (const FieldInfo& field :
         fields_info([&](FieldVisitor& visit) { method->fields(visit); })) {
      text += setting_text(field);
    }
  }
  return text;
}

}  // namespace

void add_train(CLI::App& app) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command = app.add_subcommand(
      "train", "Train an adapter on labelled text, on text alone, on conversations or preferences");
  add_flags(*command, fields_of(options->config));
  command->add_option("--out", options->out, "folder for the run; must be empty or absent");
  command->add_option("--resume", options->resume,
                      "go on with a run that stopped; takes nothing else but --threads and --json");
  command->add_option("--from-config", options->from_config,
                      "a config.json: makes a new base of it in the folder --model, to pretrain "
                      "with --method full");
  command->add_option("--tokenizer", options->tokenizer,
                      "a folder with the tokenizer of the base that --from-config makes");
  add_common(*command, options->common);
  command->footer(
      tasks_text() + "\n" + methods_text() + "\n" +
      examples(
          {"inlay train --model all-minilm-l6-v2 --data sentiment-sentences --out runs/a",
           "inlay train --model all-minilm-l6-v2 --data reviews.csv --method "
           "'lora[r=16,alpha=32]' --out runs/b",
           "inlay train --model all-minilm-l6-v2 --data reviews.csv --method bottleneck "
           "--folds 5 --out runs/c",
           "inlay train --model FOLDER --data corpus.txt --task masked-lm --out runs/d",
           "inlay train --model FOLDER --data chat.jsonl --task causal-lm --max-length 1024 --out "
           "runs/e",
           "inlay train --model FOLDER --data prefs.jsonl --task dpo --out runs/g",
           "inlay train --from-config config.json --tokenizer FOLDER --model models/new "
           "--data corpus.txt --task causal-lm --method full --out runs/f",
           "inlay train --model all-minilm-l6-v2 --data imdb.csv --method 'fuse(amazon, yelp)' "
           "--adapters amazon=runs/amazon/adapter,yelp=runs/yelp/adapter --out runs/fused",
           "inlay train --resume runs/c"}));
  command->callback([options, command] { run_train(*options, *command); });
}

}  // namespace inlay::cli
