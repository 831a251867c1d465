#include "base/files.h"
#include "base/json.h"
#include "hub/import.h"

namespace inlay {

void import_files(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                  const std::filesystem::path& folder) {
  for (const auto& [file, member] : entry.members)
    std::filesystem::rename(child_path(unpacked, file), child_path(folder, file));
  write_file_atomically(folder / "dataset.json", pretty_json(entry.settings.at("dataset")));
}

}  // namespace inlay
