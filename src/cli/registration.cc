#include "cli/registration.h"

#include "base/log.h"
#include "hub/pull.h"
#include "train/registry_entries.h"

namespace inlay::cli {

void register_folder(const std::filesystem::path& folder) try {
  std::vector<RegistryEntry> entries;
  if (is_run_folder(folder)) {
    entries = run_entries(folder);
  } else if (is_adapter_folder(folder)) {
    entries.push_back(adapter_entry(folder));
  }
  Registry::open(home_folder() / kRegistryFile).put(entries);
} catch (const std::exception& error) {
  log_warn("{} is finished, but inlay list will not show it: {}", folder.string(), error.what());
}

}  // namespace inlay::cli
