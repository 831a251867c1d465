// Looks through folders for runs and adapters, to make the registry anew.
//
//   FolderScan found = scan_folders({"/home/a/runs"});
//   for (const std::string& problem : found.problems) log_warn("left out: {}", problem);
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runs/registry.h"

namespace inlay {

struct ScanLimits {
  int depth = 16;           // levels below a named folder
  int64_t folders = 50000;  // looked into, in all
};

struct FolderScan {
  std::vector<std::string> roots;      // the named folders, absolute
  std::vector<RegistryEntry> entries;  // in the order of their paths' names
  std::vector<std::string> problems;   // of what looks like a run or an adapter and cannot be read
  int64_t folders = 0;
  bool cut_short = false;  // a limit was reached: something may be missing
};

// A named folder may itself be a run, an adapter or a link. Below it, links are not followed, so
// loops do no harm, and folders whose names begin with a dot are left out. kUsage for a name that
// is no folder.
FolderScan scan_folders(const std::vector<std::filesystem::path>& folders,
                        const ScanLimits& limits = {});

}  // namespace inlay
