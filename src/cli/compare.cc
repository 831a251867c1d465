// inlay compare: trains several methods on the same data over the same seeds, each run in a process
// of its own, and draws a table.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "adapters/method.h"
#include "base/files.h"
#include "base/folder_lock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/process.h"
#include "base/spec.h"
#include "cli/command.h"
#include "cli/config_flags.h"
#include "hub/subprocess.h"
#include "train/comparison_table.h"
#include "train/method_comparison.h"
#include "train/train_config.h"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct CompareOptions {
  Common common;
  TrainConfig config;  // what all runs share
  std::string methods = "all";
  int64_t seeds = 3;
  std::string out, markdown;
};

// A row of the table: a method, or with "@3e-4" behind it a method with a rate of its own.
struct Row {
  explicit Row(const std::string& name) : name(name), method(name) {
    std::size_t at = name.find_last_of("@])");
    if (at == std::string::npos || name[at] != '@') return;
    method = name.substr(0, at);
    rate = name.substr(at + 1);
    char* end = nullptr;
    double value = std::strtod(rate.c_str(), &end);
    require(!rate.empty() && *end == '\0' && value > 0 && value < 1e6, ErrorKind::kUsage,
            "--methods: \"{}\" has \"{}\" behind the @; expected a learning rate, such as {}@3e-4",
            name, rate, method);
  }

  std::string name, method, rate;
};

// One run to do: `inlay train` in a process of its own.
struct Task {
  Row row;
  int64_t seed;
  fs::path folder;
};

bool balanced(const std::string& text) {
  return std::count(text.begin(), text.end(), '(') == std::count(text.begin(), text.end(), ')');
}

// Commas inside brackets, quotes and parentheses belong to a method.
std::vector<std::string> split_methods(const std::string& text) {
  std::vector<std::string> methods;
  std::string open;
  for (const std::string& piece : split_outside(text, ',')) {
    open += (open.empty() ? "" : ", ") + piece;
    if (!balanced(open)) continue;
    methods.push_back(open);
    open.clear();
  }
  require(open.empty(), ErrorKind::kUsage, "--methods: \"{}\" has a '(' that is not closed", open);
  return methods;
}

// Every method at its defaults. A composition or union has none: it is its example.
std::vector<std::string> every_method() {
  std::vector<std::string> methods;
  for (const MethodInfo* info : all_methods()) {
    bool needs_parts = info->name == "composition" || info->name == "union";
    methods.push_back(needs_parts ? info->example : info->name);
  }
  return methods;
}

// The baseline first, each method once, each of them one that there is.
std::vector<std::string> methods_of(const std::string& text) {
  std::vector<std::string> wanted = text == "all" ? every_method() : split_methods(text);
  require(!wanted.empty(), ErrorKind::kUsage,
          "--methods names none; give all, or names between commas");
  std::vector<std::string> methods{kBaselineMethod};
  for (const std::string& method : wanted) {
    parse_method(Row(method).method);
    if (std::find(methods.begin(), methods.end(), method) == methods.end())
      methods.push_back(method);
  }
  return methods;
}

// A folder's name for a method: the method's, with a hash where that had to be changed.
std::string folder_of(const std::string& method) {
  std::string name;
  for (char c : method) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    name += plain ? c : '-';
  }
  if (name == method) return name;
  return name.substr(0, 40) + "-" + hex(sha256(method)).substr(0, 8);
}

std::vector<Task> tasks_of(const CompareOptions& options, const std::vector<std::string>& methods) {
  std::vector<Task> tasks;
  for (const std::string& method : methods) {
    for (int64_t seed = 1; seed <= options.seeds; ++seed) {
      fs::path folder = fs::path(options.out) / folder_of(method) / fmt::format("seed-{}", seed);
      tasks.push_back({Row(method), seed, folder});
    }
  }
  return tasks;
}

// The options of `inlay train` that were given, as it takes them.
std::vector<std::string> shared_arguments(const CLI::App& command) {
  std::vector<std::string> arguments;
  for (const FieldInfo& field : describe_fields<TrainConfig>()) {
    std::string flag = "--" + field.name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    const CLI::Option* option = command.get_option_no_throw(flag);
    if (option == nullptr || option->count() == 0) continue;
    arguments.push_back(flag);
    arguments.push_back(option->results().back());
  }
  return arguments;
}

// A comparison is gone on with under the settings that it was begun with.
void check_settings(const fs::path& out, const std::vector<std::string>& arguments) {
  fs::path file = out / "settings.json";
  Json settings{{"arguments", arguments}};
  if (!fs::exists(file)) {
    write_file_atomically(file, pretty_json(settings));
    return;
  }
  Json before = read_json(file);
  require(before == settings, ErrorKind::kUsage,
          "{} holds a comparison with other settings ({}, now {}); name another folder",
          out.string(), before.dump(), settings.dump());
}

bool finished(const fs::path& run) { return fs::exists(run / "report.html"); }

std::vector<std::string> command_of(const Task& task, const CompareOptions& options,
                                    std::vector<std::string> shared) {
  std::vector<std::string> command{"/proc/self/exe", "train"};
  std::string folder = fs::absolute(task.folder).string();
  if (fs::exists(task.folder / "config.json")) {
    command.insert(command.end(), {"--resume", folder});
  } else {
    if (!task.row.rate.empty()) {
      auto all = std::find(shared.begin(), shared.end(), "--learning-rate");
      if (all != shared.end()) shared.erase(all, all + 2);
      shared.insert(shared.end(), {"--learning-rate", task.row.rate});
    }
    command.insert(command.end(), shared.begin(), shared.end());
    command.insert(command.end(), {"--method", task.row.method, "--seed", std::to_string(task.seed),
                                   "--out", folder});
  }
  command.insert(command.end(), {"--threads", std::to_string(options.common.threads)});
  return command;
}

// What the program said last, without its name.
std::string last_words(const std::string& output) {
  std::string last;
  for (std::size_t begin = 0; begin < output.size();) {
    std::size_t end = std::min(output.find('\n', begin), output.size());
    if (end > begin) last = output.substr(begin, end - begin);
    begin = end + 1;
  }
  return last.starts_with("inlay: ") ? last.substr(7) : last;
}

ComparedRun failed_run(const Task& task, const std::string& error) {
  ComparedRun run;
  run.method = task.row.name;
  run.seed = task.seed;
  run.error = error;
  return run;
}

ComparedRun run_task(const Task& task, const CompareOptions& options,
                     const std::vector<std::string>& shared) try {
  if (!finished(task.folder)) {
    SubprocessResult result = run_program(command_of(task, options, shared), fs::current_path());
    require(!interrupted(), ErrorKind::kInterrupted, "stopped; the same command goes on from here");
    if (result.exit_status != 0 && !finished(task.folder)) {
      return failed_run(task, result.exit_status > 128
                                  ? fmt::format("ended by signal {}", result.exit_status - 128)
                                  : last_words(result.output));
    }
  }
  ComparedRun run = read_compared_run(task.folder, task.row.method, task.seed);
  run.method = task.row.name;
  return run;
} catch (const Error& error) {
  if (error.kind() == ErrorKind::kInterrupted) throw;
  return failed_run(task, error.what());
}

std::vector<ComparedRun> run_all(const CompareOptions& options, const std::vector<Task>& tasks,
                                 const std::vector<std::string>& shared) {
  std::vector<ComparedRun> runs;
  runs.reserve(tasks.size());
  for (const Task& task : tasks) {
    require(!interrupted(), ErrorKind::kInterrupted, "stopped; the same command goes on from here");
    runs.push_back(run_task(task, options, shared));
    const ComparedRun& run = runs.back();
    log_info("{} of {}: {}, seed {}: {}", runs.size(), tasks.size(), task.row.name, task.seed,
             run.error.empty() ? fmt::format("{} {:.4f}", run.metric, run.value)
                               : "failed: " + run.error);
  }
  return runs;
}

std::size_t count_failures(const Json& comparison) {
  std::size_t failures = 0;
  for (const Json& method : comparison.at("methods")) failures += method.at("errors").size();
  return failures;
}

// Fails before hours of work are begun.
void check_options(const CompareOptions& options) {
  require(!options.out.empty(), ErrorKind::kUsage,
          "no folder for the runs was given; use --out compare/NAME");
  require(!options.config.data.empty() || !options.config.train_file.empty(), ErrorKind::kUsage,
          "no data was given; use --data with a file, a folder or a pulled name, or --train-file");
  require(options.config.data != "-", ErrorKind::kUsage,
          "--data is standard input, which only one run could read; name a file");
  resolve_model(options.config.model);
  resolve_data(options.config.data);
  check_config(options.config);
  if (!options.markdown.empty()) check_markdown_place(options.markdown);
}

void run_compare(const CompareOptions& options, const CLI::App& command) {
  install_interrupt_handler();
  check_options(options);
  std::vector<Task> tasks = tasks_of(options, methods_of(options.methods));
  std::vector<std::string> shared = shared_arguments(command);
  fs::create_directories(options.out);
  std::optional<FolderLock> lock = FolderLock::take(options.out);
  require(lock.has_value(), ErrorKind::kUsage, "another comparison is at work in {}", options.out);
  check_settings(options.out, shared);
  Json comparison = comparison_json(run_all(options, tasks, shared), kBaselineMethod);
  comparison["arguments"] = shared;
  write_file_atomically(fs::path(options.out) / "results.json", pretty_json(comparison));
  if (!options.markdown.empty()) write_markdown(options.markdown, comparison_markdown(comparison));
  if (options.common.json) {
    print_json(comparison);
  } else {
    fmt::print("{}", comparison_text(comparison));
  }
  std::size_t failures = count_failures(comparison);
  require(failures == 0, ErrorKind::kIo,
          "{} of {} runs failed; the same command runs them again and keeps the others", failures,
          tasks.size());
}

}  // namespace

void add_compare(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command =
      app.add_subcommand("compare", "Train several methods on the same data and draw a table");
  command
      ->add_option("--methods", options->methods,
                   "all, or methods between commas, each perhaps with a learning rate behind an @")
      ->capture_default_str();
  command
      ->add_option("--seeds", options->seeds,
                   "runs per method: seeds 1 to this, of initial values, order and splits")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--out", options->out,
                      "folder for the runs and results.json; what is finished there is kept");
  command->add_option("--markdown", options->markdown,
                      "also write the table into this file, between the lines\n"
                      "<!-- table: compare --> and <!-- end of table: compare -->");
  add_flags(*command, fields_of(options->config));
  command->remove_option(command->get_option("--method"));
  command->remove_option(command->get_option("--seed"));
  add_common(*command, options->common);
  command->footer(
      "Each method is trained with its own defaults where no option says otherwise, every run in "
      "a\n"
      "process of its own, so that its peak memory is its own. The head alone is always among "
      "them:\n"
      "the others are compared with it on the same test examples. Time per epoch is that of the\n"
      "training steps; the file size includes the head. A run that fails is listed and does not\n"
      "stop the others.\n" +
      examples(
          {"inlay compare --model all-minilm-l6-v2 --data sentiment-sentences --out cmp",
           "inlay compare --model all-minilm-l6-v2 --data reviews.csv --methods "
           "'lora[r=4],lora[r=16],bottleneck' --seeds 5 --epochs 3 --out cmp",
           "inlay compare --model mobilenet-v2 --data fashion-mnist --shots 100 --image-size 96 "
           "--methods 'head,lora,full@3e-4' --out cmp",
           "inlay compare --model all-minilm-l6-v2 --data sentiment-sentences --out cmp "
           "--markdown docs/guide/methods.md"}));
  command->callback([options, command] { run_compare(*options, *command); });
}

}  // namespace inlay::cli
