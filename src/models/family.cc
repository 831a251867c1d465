#include "models/family.h"

#include <algorithm>

#include "formats/gguf_checkpoint.h"

namespace inlay {

#define INLAY_FAMILY(name) const Family& family_##name();
#include "models/families/list.h"
#undef INLAY_FAMILY

std::vector<const Family*> all_families() {
  return {
#define INLAY_FAMILY(name) &family_##name(),
#include "models/families/list.h"
#undef INLAY_FAMILY
  };
}

const Family& find_family(const ModelConfig& config) {
  std::string type = config.text("model_type");
  std::string known;
  for (const Family* family : all_families()) {
    for (const std::string& name : family->model_types) {
      if (name == type) return *family;
      known += (known.empty() ? "" : ", ") + name;
    }
  }
  fail(ErrorKind::kInput, "{}: model_type \"{}\" is not supported; supported: {}", config.where(),
       type, known);
}

bool reads_images(const std::filesystem::path& model) {
  ModelConfig config = read_model_config(model);
  BaseFacts facts;
  find_family(config).describe(config, facts);
  return facts.images;
}

}  // namespace inlay
