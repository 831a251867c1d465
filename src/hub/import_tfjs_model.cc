#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "formats/safetensors.h"
#include "formats/tfjs.h"
#include "hub/import.h"
#include "tensor/transposed.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLayer = "{layer}";
constexpr int64_t kMaxLayers = 1000;

std::string with_layer(std::string text, int64_t layer) {
  std::size_t at = text.find(kLayer);
  return at == text.npos ? text : text.replace(at, kLayer.size(), std::to_string(layer));
}

class Converter {
 public:
  Converter(const CatalogueEntry& entry, const TfjsWeights& weights)
      : where_("the catalogue: " + entry.name),
        weights_(weights),
        layers_(json_get<int64_t>(entry.settings.at("config"), "num_hidden_layers", where_)) {
    require(0 <= layers_ && layers_ <= kMaxLayers, ErrorKind::kInput,
            "{}: num_hidden_layers is {}; expected 0 to {}", where_, layers_, kMaxLayers);
  }

  void take(const Json& names, bool transpose) {
    for (const auto& [to, from] : names.items()) {
      bool per_layer = to.find(kLayer) != to.npos;
      for (int64_t layer = 0; layer < (per_layer ? layers_ : 1); ++layer) {
        take_one(with_layer(to, layer),
                 with_layer(json_get<std::string>(names, to.c_str(), where_), layer), transpose);
      }
    }
  }

  // Whatever was not taken may only be integers (shapes, axes) and single numbers (an epsilon, a
  // scale).
  std::vector<NamedTensor> finish() {
    for (const std::string& name : weights_.names()) {
      if (used_.count(name) > 0) continue;
      Tensor rest = weights_.tensor(name);
      require(rest.dtype() != DType::kF32 || rest.count() <= 1, ErrorKind::kInput,
              "{}: weight \"{}\" of shape {} has no place in the imported model", where_, name,
              rest.shape().text());
    }
    return std::move(tensors_);
  }

 private:
  void take_one(std::string to, const std::string& from, bool transpose) {
    Tensor tensor = weights_.tensor(from);
    require(tensor.dtype() == DType::kF32, ErrorKind::kInput,
            "{}: weight \"{}\" is {}; expected F32", where_, from, dtype_name(tensor.dtype()));
    require(!transpose || tensor.shape().rank() == 2, ErrorKind::kInput,
            "{}: shape {}; expected a matrix to transpose", from, tensor.shape().text());
    tensors_.push_back({std::move(to), transpose ? transposed(tensor) : tensor});
    used_.insert(from);
  }

  std::string where_;
  const TfjsWeights& weights_;
  int64_t layers_;
  std::vector<NamedTensor> tensors_;
  std::set<std::string> used_;
};

}  // namespace

void import_tfjs_model(const CatalogueEntry& entry, const fs::path& unpacked,
                       const fs::path& folder) {
  const Json& settings = entry.settings;
  TfjsWeights weights = TfjsWeights::open(unpacked / "model.json");
  Converter converter(entry, weights);
  converter.take(settings.at("tensors"), false);
  converter.take(settings.at("transposed"), true);
  write_safetensors(folder / "model.safetensors", converter.finish(), {{"format", "pt"}});
  write_file_atomically(folder / "config.json", pretty_json(settings.at("config")));
  for (const Json& file : settings.at("copy")) {
    auto name = file.get<std::string>();
    write_file_atomically(child_path(folder, name), read_file(child_path(unpacked, name)));
  }
}

}  // namespace inlay
