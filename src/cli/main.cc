// The program: lists its commands, runs the one that was asked for, and turns errors into messages
// and exit codes.
#include <fmt/core.h>

#include <cstdio>
#include <exception>

#include "base/error.h"
#include "base/process.h"
#include "cli/command.h"
#include "runs/tool_info.h"

namespace inlay::cli {

void add_pull(CLI::App&);
void add_train(CLI::App&);
void add_eval(CLI::App&);
void add_predict(CLI::App&);
void add_inspect(CLI::App&);
void add_replay(CLI::App&);

namespace {

constexpr auto kCommands = {add_pull, add_train, add_eval, add_predict, add_inspect, add_replay};

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
  int code = parse_and_run(app, argc, argv);
  require(std::fflush(stdout) == 0 && std::ferror(stdout) == 0, ErrorKind::kIo,
          "standard output: the results could not be written; is the disk full?");
  return code;
}

}  // namespace
}  // namespace inlay::cli

int main(int argc, char** argv) {
  inlay::install_interrupt_handler();
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
