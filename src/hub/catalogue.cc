#include "hub/catalogue.h"

#include <algorithm>

#include "base/error.h"
#include "base/nearest.h"

namespace inlay {
namespace {

constexpr std::string_view kCatalogue =
#include "hub/catalogue.json.inc"
    ;

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

CatalogueEntry entry_of(const std::string& name, const Json& json, const std::string& where) {
  auto text = [&](const Json& object, const char* key) {
    return json_get<std::string>(object, key, where);
  };
  bool debian = json.contains("debian"), tree = json.contains("tree");
  require(json.contains("package") != debian, ErrorKind::kInput,
          "{}: expected either \"package\" (of npm) or \"debian\"", where);
  bool members = json.contains("members") && json["members"].is_object();
  require(members != tree, ErrorKind::kInput,
          "{}: expected either an object \"members\" or \"tree\"", where);
  const Json& package = json[debian ? "debian" : "package"];
  CatalogueEntry entry{.name = name,
                       .kind = text(json, "kind"),
                       .title = text(json, "title"),
                       .summary = text(json, "summary"),
                       .note = text(json, "note"),
                       .licence = text(json, "licence"),
                       .source = debian ? PackageSource::kDebian : PackageSource::kNpm,
                       .package = text(package, "name"),
                       .version = text(package, "version"),
                       .sha256 = text(package, "sha256"),
                       .url = debian ? text(package, "url") : "",
                       .importer = text(json, "import"),
                       .members = {},
                       .settings = json};
  require(is_sha256(entry.sha256), ErrorKind::kInput,
          "{}: \"sha256\" is \"{}\"; expected 64 hexadecimal digits", where, entry.sha256);
  if (tree) return entry;
  for (const auto& [file, member] : json["members"].items()) {
    entry.members[file] = json_get<std::string>(json["members"], file.c_str(), where);
  }
  return entry;
}

}  // namespace

std::string_view package_kind(PackageSource source) {
  return source == PackageSource::kNpm ? "npm" : "Debian";
}

std::vector<CatalogueEntry> parse_catalogue(std::string_view text, std::string_view where) {
  Json json = parse_json(text, where);
  require(json.is_object(), ErrorKind::kInput, "{}: expected an object, found {}", where,
          json.type_name());
  std::vector<CatalogueEntry> entries;
  for (const auto& [name, entry] : json.items()) {
    entries.push_back(entry_of(name, entry, fmt::format("{}: {}", where, name)));
  }
  return entries;
}

std::vector<CatalogueEntry> catalogue() { return parse_catalogue(kCatalogue, "the catalogue"); }

CatalogueEntry catalogue_entry(std::string_view name) {
  std::vector<std::string> names;
  for (CatalogueEntry& entry : catalogue()) {
    if (entry.name == name) return std::move(entry);
    names.push_back(entry.name);
  }
  std::string all;
  for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
  fail(ErrorKind::kUsage,
       "\"{}\" is not in the catalogue; did you mean {}? It has: {}. A Hugging Face repository is "
       "written owner/name",
       name, nearest_name(name, names), all);
}

}  // namespace inlay
