// Pulls an entry of the catalogue: its package, through npm or from Debian's archive, then its
// importer. No script of a package is run.
#pragma once

#include <filesystem>

#include "hub/catalogue.h"
#include "hub/pull.h"

namespace inlay {

// The package's file is kept in <home>/downloads, and one that is there already (brought by hand to
// a machine without network, say) is used, if its SHA-256 is the entry's.
std::filesystem::path pull_package(const CatalogueEntry& entry, const PullOptions& options);

}  // namespace inlay
