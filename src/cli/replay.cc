// inlay replay: repeats a run from its manifest and compares every hash.
#include <fmt/core.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "runs/manifest.h"
#include "runs/step_digest.h"
#include "tensor/threads.h"
#include "train/training_run.h"

namespace inlay::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
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

// The first step whose loss or gradient norm differs, over all splits; 0 for none.
int64_t first_differing_step(const Json& a, const Json& b) {
  std::size_t splits = std::min(a.at("steps").size(), b.at("steps").size());
  for (std::size_t i = 0; i < splits; ++i) {
    int64_t step =
        first_difference(a.at("steps").at(i).at("steps"), b.at("steps").at(i).at("steps"));
    if (step > 0) return step;
  }
  return 0;
}

void run(const Options& options) {
  RunFolder original = RunFolder::open(options.run);
  Json before = read_manifest(original.manifest());
  TrainConfig config = read_run_config(original);
  WorkbenchPaths paths{resolve_model(config.model), {}};
  if (!config.data.empty()) paths.data = {resolve_data(config.data)};
  start_threads(options.common.threads);
  TemporaryFolder folder;
  RunObserver silent;
  log_info("repeating {}", options.run);
  run_training(config, paths, folder.path(), RunStart::kNew, silent);
  Json after = read_manifest(folder.path() / "manifest.json");

  std::vector<ManifestDifference> differences = diff_manifests(before, after);
  Json report{{"equal", differences.empty()}, {"differences", Json::array()}};
  for (const ManifestDifference& difference : differences) {
    report["differences"].push_back(
        {{"pointer", difference.pointer}, {"before", difference.a}, {"after", difference.b}});
  }
  int64_t step = first_differing_step(before, after);
  if (step > 0) report["first_differing_step"] = step;
  if (!options.common.json) {
    fmt::print("{}\n", differences.empty()
                           ? "equal: every hash of the run was met again"
                           : fmt::format("different in {} places", differences.size()));
    for (const ManifestDifference& difference : differences) {
      fmt::print("  {}: {} became {}\n", difference.pointer, difference.a, difference.b);
    }
    if (step > 0) fmt::print("  the first step that differs: {}\n", step);
  } else {
    print_json(report);
  }
  require(differences.empty(), ErrorKind::kIo, "the replay differs from {}", options.run);
}

}  // namespace

void add_replay(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("replay", "Repeat a run and compare every hash");
  command->add_option("run", options->run, "the run's folder")->required();
  add_common(*command, options->common);
  command->footer(examples({"inlay replay runs/a", "inlay replay runs/a --threads 1 --json"}));
  command->callback([options] { run(*options); });
}

}  // namespace inlay::cli
