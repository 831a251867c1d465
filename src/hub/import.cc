#include "hub/import.h"

#include <array>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

struct Importer {
  std::string_view name;
  void (*import)(const CatalogueEntry&, const std::filesystem::path&, const std::filesystem::path&);
};

constexpr std::array<Importer, 5> kImporters = {{
    {"tfjs-model", import_tfjs_model},
    {"tfjs-keras-js", import_tfjs_keras_js},
    {"labelled-json", import_labelled_json},
    {"files", import_files},
    {"picture-families", import_picture_families},
}};

}  // namespace

void import_package(const CatalogueEntry& entry, const std::filesystem::path& unpacked,
                    const std::filesystem::path& folder) {
  for (const Importer& importer : kImporters) {
    if (importer.name != entry.importer) continue;
    importer.import(entry, unpacked, folder);
    write_file_atomically(folder / "README.md", source_card(entry));
    return;
  }
  fail(ErrorKind::kInput, "the catalogue: {}: there is no importer \"{}\"", entry.name,
       entry.importer);
}

std::string source_card(const CatalogueEntry& entry) {
  return fmt::format(
      "# {}\n\n{}\n\n{}\n\n"
      "| | |\n|---|---|\n| source | {} package `{}` |\n| version | {} |\n| sha256 of its file "
      "| `{}` |\n"
      "| licence | {} |\n\n`source.json` lists the SHA-256 of every file. Imported by `inlay pull "
      "{}`.\n",
      entry.title, entry.summary, entry.note, package_kind(entry.source), entry.package,
      entry.version, entry.sha256, entry.licence, entry.name);
}

}  // namespace inlay
