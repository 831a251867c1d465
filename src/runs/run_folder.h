// The folder that holds everything about one run, and the names inside it. A run never writes over
// another one, and one process at a time writes.
//
//   RunFolder run = RunFolder::create("runs/reviews", RunStart::kNew);
//   write_file_atomically(run.report(), render_report(report));
//
//   reviews/
//     manifest.json      what ran, on what, and every hash (runs/manifest.h)
//     inputs.json        the hashes of base, tokenizer and data
//     metrics.jsonl      one line per logged step (runs/metrics_log.h)
//     predictions.jsonl  one line per test row
//     report.html        the page people read (runs/report.h)
//     adapter/           what was trained
//     checkpoints/       from which a run goes on
#pragma once

#include <filesystem>
#include <optional>

#include "base/folder_lock.h"

namespace inlay {

enum class RunStart {
  kNew,     // the folder is missing or empty; it is made
  kResume,  // the folder exists
};

class RunFolder {
 public:
  // For writing, until the end of its life. Refuses a folder with anything in it for kNew, a
  // missing one for kResume, and one that is being written to.
  static RunFolder create(const std::filesystem::path& path, RunStart start);
  // Fails as create() would, before any work is done.
  static void require_free(const std::filesystem::path& path);

  // For reading a finished run; refuses a folder without a manifest.
  static RunFolder open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path manifest() const { return path_ / "manifest.json"; }
  std::filesystem::path inputs() const { return path_ / "inputs.json"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path predictions() const { return path_ / "predictions.jsonl"; }
  std::filesystem::path report() const { return path_ / "report.html"; }
  std::filesystem::path adapter() const { return path_ / "adapter"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  std::optional<FolderLock> lock_;
};

}  // namespace inlay
