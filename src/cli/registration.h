// Tells the registry about what a command has finished. The registry is a convenience: nothing that
// goes wrong with it may spoil the work, so it is warned about and no more.
//
//   register_folder("runs/a");           // a run and its adapters
//   register_folder("adapters/merged");  // an adapter
#pragma once

#include <filesystem>

namespace inlay::cli {

void register_folder(const std::filesystem::path& folder);

}  // namespace inlay::cli
