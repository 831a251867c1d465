// inlay replay: repeats a run from its folder and compares every hash.
#include <fmt/core.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "cli/command.h"
#include "tensor/threads.h"
#include "train/run_comparison.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct ReplayOptions {
  Common common;
  std::string run;
};

// A folder that is removed at the end of its life.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(fs::temp_directory_path() / fmt::format("inlay-replay-{}", ::getpid())) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Json differences_json(const std::vector<ManifestDifference>& differences) {
  Json list = Json::array();
  for (const ManifestDifference& difference : differences) {
    list.push_back(
        {{"pointer", difference.pointer}, {"before", difference.a}, {"after", difference.b}});
  }
  return list;
}

Json comparison_json(const RunComparison& comparison) {
  Json json{{"equal", comparison.equal()},
            {"differences", differences_json(comparison.differences)},
            {"files", comparison.files}};
  if (!comparison.tool.empty()) json["tool"] = differences_json(comparison.tool);
  if (!comparison.first_step.empty()) json["first_differing_step"] = comparison.first_step;
  if (!comparison.first_tensor.empty()) json["first_differing_tensor"] = comparison.first_tensor;
  return json;
}

// A value of a manifest, cut where it is long.
std::string brief(const std::string& value) {
  constexpr std::size_t kLongest = 80;
  if (value.empty()) return "nothing";
  return value.size() <= kLongest ? value : value.substr(0, kLongest) + "…";
}

void print_comparison(const RunComparison& comparison) {
  fmt::print("{}\n", comparison.equal() ? "equal: every hash of the run was met again"
                                        : "different from the run");
  if (!comparison.first_step.empty())
    fmt::print("  the first step that differs: {}\n", comparison.first_step);
  if (!comparison.first_tensor.empty())
    fmt::print("  the first tensor that differs: {}\n", comparison.first_tensor);
  for (const std::string& file : comparison.files) fmt::print("  {}: other bytes\n", file);
  for (const ManifestDifference& difference : comparison.differences) {
    fmt::print("  {}: {} became {}\n", difference.pointer, brief(difference.a),
               brief(difference.b));
  }
  for (const ManifestDifference& difference : comparison.tool) {
    fmt::print("  by another build: {}: {} became {}\n", difference.pointer, brief(difference.a),
               brief(difference.b));
  }
}

void run_replay(const ReplayOptions& options) {
  install_interrupt_handler();
  RunFolder original = RunFolder::open(options.run);
  read_manifest(original.manifest());  // whole, before the work is done
  TrainConfig config = read_run_config(original.path());
  WorkbenchPaths paths{resolve_model(config.model), {}};
  if (!config.data.empty()) paths.data = {resolve_data(config.data)};
  start_threads(options.common.threads);
  TemporaryFolder folder;
  RunObserver silent;
  log_info("repeating {}", options.run);
  repeat_training(original, paths, folder.path(), silent);
  RunComparison comparison =
      compare_runs(original, RunFolder::open(folder.path()), *load_model(paths.model));
  if (options.common.json) {
    print_json(comparison_json(comparison));
  } else {
    print_comparison(comparison);
  }
  require(comparison.equal(), ErrorKind::kIo, "the replay differs from {}", options.run);
}

}  // namespace

void add_replay(CLI::App& app) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* command = app.add_subcommand("replay", "Repeat a run and compare every hash");
  command->add_option("run", options->run, "the run's folder")->required();
  add_common(*command, options->common);
  command->footer(examples({"inlay replay runs/a", "inlay replay runs/a --threads 1 --json"}));
  command->callback([options] { run_replay(*options); });
}

}  // namespace inlay::cli
