#include "train/registry_scan.h"

#include <algorithm>

#include "base/error.h"
#include "train/registry_entries.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Folders inside, by name; neither links nor hidden ones.
std::vector<fs::path> folders_in(const fs::path& folder, FolderScan& scan) {
  std::vector<fs::path> inside;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code unknown;
    bool real = at->is_directory(unknown) && !at->is_symlink(unknown);
    if (real && !at->path().filename().string().starts_with('.')) inside.push_back(at->path());
  }
  if (error) scan.problems.push_back(fmt::format("{}: {}", folder.string(), error.message()));
  std::sort(inside.begin(), inside.end());
  return inside;
}

// True where the folder is a run or an adapter, so that nothing else is looked for inside.
bool add_entries(const fs::path& folder, FolderScan& scan) try {
  if (is_run_folder(folder)) {
    std::vector<RegistryEntry> entries = run_entries(folder);
    scan.entries.insert(scan.entries.end(), entries.begin(), entries.end());
    return true;
  }
  if (!is_adapter_folder(folder)) return false;
  scan.entries.push_back(adapter_entry(folder));
  return true;
} catch (const Error& error) {
  scan.problems.emplace_back(error.what());
  return true;
}

void walk(const fs::path& folder, int depth, const ScanLimits& limits, FolderScan& scan) {
  if (depth > limits.depth || scan.folders >= limits.folders) {
    scan.cut_short = true;
    return;
  }
  ++scan.folders;
  if (add_entries(folder, scan)) return;
  for (const fs::path& inside : folders_in(folder, scan)) walk(inside, depth + 1, limits, scan);
}

}  // namespace

FolderScan scan_folders(const std::vector<fs::path>& folders, const ScanLimits& limits) {
  FolderScan scan;
  for (const fs::path& folder : folders) {
    require(fs::is_directory(folder), ErrorKind::kUsage,
            "{}: there is no such folder to look through", folder.string());
    fs::path root = fs::absolute(folder).lexically_normal();
    if (!root.has_filename()) root = root.parent_path();
    scan.roots.push_back(root.string());
    walk(root, 0, limits, scan);
  }
  return scan;
}

}  // namespace inlay
