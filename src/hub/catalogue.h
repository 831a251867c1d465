// What `inlay pull NAME` can fetch by a plain name. The entries are data: catalogue.json.inc,
// compiled into the program. Each pins one source, a package of npm ("package") or Debian
// ("debian") by version and SHA-256, because two sources would be two bases. It says what is taken
// from the package: "members", file by file, or "tree", all files below a folder with one of the
// endings:
//
//   "tree": {"below": "./usr/share/pictures/", "endings": [".png"]}
//
// Adding an entry edits that file only; an entry names an importer (import.h), and the keys beyond
// those below are the importer's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace inlay {

enum class PackageSource { kNpm, kDebian };

std::string_view package_kind(PackageSource source);  // "npm", "Debian"

struct CatalogueEntry {
  std::string name;
  std::string kind;  // "model" or "dataset"
  std::string title;
  std::string summary;
  std::string note;
  std::string licence;
  PackageSource source = PackageSource::kNpm;
  std::string package;
  std::string version;
  std::string sha256;  // of the package's file
  std::string url;     // of a Debian package's file
  std::string importer;
  std::map<std::string, std::string> members;  // file name here to path in the package
  Json settings;                               // the whole entry
};

std::vector<CatalogueEntry> catalogue();  // by name

// kUsage for an unknown name; the message names the nearest and all others.
CatalogueEntry catalogue_entry(std::string_view name);

// Reads entries from text; `where` names it in messages.
std::vector<CatalogueEntry> parse_catalogue(std::string_view text, std::string_view where);

}  // namespace inlay
