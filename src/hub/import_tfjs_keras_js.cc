#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "hub/import.h"
#include "hub/js_module.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

std::string module_text(const fs::path& folder, const std::string& name) {
  return read_file(child_path(folder, name + ".min.js"));
}

}  // namespace

void import_tfjs_keras_js(const CatalogueEntry& entry, const fs::path& unpacked,
                          const fs::path& folder) {
  Json manifest =
      js_property(module_text(unpacked, "model"), "weightsManifest", entry.name + ": model.min.js");
  for (const Json& group : manifest) {
    require(group.is_object() && group.contains("paths") && group["paths"].is_array(),
            ErrorKind::kInput, "{}: a group of weightsManifest has no list \"paths\"", entry.name);
    for (const Json& path : group["paths"]) {
      require(path.is_string(), ErrorKind::kInput,
              "{}: a path of weightsManifest is {}; expected a string", entry.name,
              path.type_name());
      auto name = path.get<std::string>();
      std::string bytes = js_exported_bytes(module_text(unpacked, name), entry.name + ": " + name);
      write_file_atomically(child_path(unpacked, name), bytes);
    }
  }
  Json model = {{"weightsManifest", std::move(manifest)}};
  write_file_atomically(unpacked / "model.json", canonical_json(model));
  import_tfjs_model(entry, unpacked, folder);
}

}  // namespace inlay
