// The program: lists its commands, runs the one that was asked for, and turns errors into messages
// and exit codes.
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "base/error.h"
#include "base/nearest.h"
#include "base/process.h"
#include "cli/command.h"
#include "runs/tool_info.h"

namespace inlay::cli {

void add_pull(CLI::App&);
void add_train(CLI::App&);
void add_eval(CLI::App&);
void add_predict(CLI::App&);
void add_search(CLI::App&);
void add_generate(CLI::App&);
void add_inspect(CLI::App&);
void add_merge(CLI::App&);
void add_combine(CLI::App&);
void add_replay(CLI::App&);
void add_list(CLI::App&);
void add_compare(CLI::App&);
void add_convert(CLI::App&);
void add_check(CLI::App&);
void add_plan(CLI::App&);
void add_chat(CLI::App&);
void add_tokenizer(CLI::App&);
void add_quantise(CLI::App&);

namespace {

constexpr auto kCommands = {add_pull,     add_train,   add_eval,    add_predict, add_search,
                            add_generate, add_chat,    add_inspect, add_merge,   add_combine,
                            add_replay,   add_convert, add_check,   add_plan,    add_tokenizer,
                            add_quantise, add_list,    add_compare};

// A misspelt command, which the parser would call a missing one.
void check_command(const CLI::App& app, int argc, char** argv) {
  std::string names, word = argc > 1 ? argv[1] : "";
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands({})) known.push_back(command->get_name());
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  require(!word.empty(), ErrorKind::kUsage,
          "no command was given; expected one of {}. Run inlay --help", names);
  bool named = word.starts_with('-') || std::find(known.begin(), known.end(), word) != known.end();
  require(named, ErrorKind::kUsage,
          "there is no command \"{}\"; did you mean \"{}\"? There are {}. Run inlay --help", word,
          nearest_name(word, known), names);
}

int parse_and_run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    bool asked = error.get_exit_code() == 0;  // --help, --version
    if (asked) return app.exit(error);
    fmt::print(stderr, "inlay: {}\nRun with --help for the options.\n", error.what());
    return exit_code(ErrorKind::kUsage);
  }
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Fine-tunes pretrained networks by training adapters, and serves what was trained.",
               "inlay");
  app.set_version_flag("--version",
                       fmt::format("inlay {} ({})", tool_info().version, tool_info().commit));
  app.require_subcommand(1);
  for (auto add : kCommands) add(app);
  app.footer(
      examples({"inlay pull all-minilm-l6-v2", "inlay pull sentiment-sentences",
                "inlay train --model all-minilm-l6-v2 --data sentiment-sentences --out runs/a",
                "inlay eval --run runs/a",
                "echo 'A delight from start to finish.' | inlay predict --run runs/a",
                "inlay <command> --help"}));
  check_command(app, argc, argv);
  int code = parse_and_run(app, argc, argv);
  require(std::fflush(stdout) == 0 && std::ferror(stdout) == 0, ErrorKind::kIo,
          "standard output: the results could not be written; is the disk full?");
  return code;
}

}  // namespace
}  // namespace inlay::cli

int main(int argc, char** argv) {
  inlay::ignore_file_size_signal();
  try {
    return inlay::cli::run(argc, argv);
  } catch (const inlay::Error& error) {
    fmt::print(stderr, "inlay: {}{}\n",
               error.kind() == inlay::ErrorKind::kInternal ? "a bug in inlay: " : "", error.what());
    return inlay::exit_code(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "inlay: {}\n", error.what());
    return 1;
  }
}
