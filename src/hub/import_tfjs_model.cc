#include <array>
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

constexpr std::string_view kLayer = "{layer}", kNextLayer = "{layer+1}";
constexpr int64_t kMaxLayers = 1000;

std::string replaced(std::string text, std::string_view from, int64_t to) {
  std::size_t at = text.find(from);
  return at == text.npos ? text : text.replace(at, from.size(), std::to_string(to));
}

std::string with_layer(std::string text, int64_t layer) {
  return replaced(replaced(std::move(text), kLayer, layer), kNextLayer, layer + 1);
}

// How an entry of the catalogue says that a weight's axes are to be turned.
enum class Turn { kNone, kMatrix, kConv, kDepthwise };

struct TurnedList {
  const char* key;
  Turn turn;
};
constexpr std::array<TurnedList, 4> kLists = {{{"tensors", Turn::kNone},
                                               {"transposed", Turn::kMatrix},
                                               {"conv", Turn::kConv},
                                               {"depthwise", Turn::kDepthwise}}};

// A copy in which axis i is axis axes[i] of `src`. REQUIRES: rank 4, F32.
Tensor permuted(const Tensor& src, const std::array<int, 4>& axes) {
  std::array<int64_t, 4> step{};  // of src, by its axes
  int64_t next = 1;
  for (int axis = 3; axis >= 0; --axis) {
    step[static_cast<std::size_t>(axis)] = next;
    next *= src.dim(axis);
  }
  auto size = [&](std::size_t i) { return src.dim(axes[i]); };
  auto stride = [&](std::size_t i) { return step[static_cast<std::size_t>(axes[i])]; };
  Tensor turned = Tensor::empty({size(0), size(1), size(2), size(3)}, DType::kF32);
  const float* from = src.data<float>();
  float* dst = turned.mutable_data<float>();
  for (int64_t a = 0; a < size(0); ++a)
    for (int64_t b = 0; b < size(1); ++b)
      for (int64_t c = 0; c < size(2); ++c)
        for (int64_t d = 0; d < size(3); ++d)
          *dst++ = from[a * stride(0) + b * stride(1) + c * stride(2) + d * stride(3)];
  return turned;
}

// Keras holds kernels as (height, width, in, out) and those of a depthwise convolution as (height,
// width, channels, 1); Hugging Face as (out, in, height, width) and (channels, 1, height, width).
Tensor turned(const Tensor& tensor, Turn turn, const std::string& name) {
  if (turn == Turn::kNone) return tensor;
  int rank = turn == Turn::kMatrix ? 2 : 4;
  require(tensor.shape().rank() == rank, ErrorKind::kInput,
          "{}: shape {}; expected {} axes to turn", name, tensor.shape().text(), rank);
  if (turn == Turn::kMatrix) return transposed(tensor);
  if (turn == Turn::kConv) return permuted(tensor, {3, 2, 0, 1});
  require(tensor.dim(3) == 1, ErrorKind::kInput,
          "{}: shape {}; expected one kernel for each channel", name, tensor.shape().text());
  return permuted(tensor, {2, 3, 0, 1});
}

class Converter {
 public:
  Converter(const CatalogueEntry& entry, const TfjsWeights& weights)
      : where_("the catalogue: " + entry.name),
        weights_(weights),
        layers_(entry.settings.contains("layers")
                    ? json_get<int64_t>(entry.settings, "layers", where_)
                    : json_get<int64_t>(entry.settings.at("config"), "num_hidden_layers", where_)) {
    require(0 <= layers_ && layers_ <= kMaxLayers, ErrorKind::kInput,
            "{}: {} layers; expected 0 to {}", where_, layers_, kMaxLayers);
  }

  void take(const Json& names, Turn turn) {
    for (const auto& [to, from] : names.items()) {
      bool per_layer = to.find(kLayer) != to.npos;
      for (int64_t layer = 0; layer < (per_layer ? layers_ : 1); ++layer) {
        take_one(with_layer(to, layer),
                 with_layer(json_get<std::string>(names, to.c_str(), where_), layer), turn);
      }
    }
  }

  // A weight that the imported model shall not have.
  void drop(const std::string& name) {
    require(weights_.contains(name), ErrorKind::kInput, "{}: there is no weight \"{}\" to drop",
            where_, name);
    used_.insert(name);
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
  void take_one(std::string to, const std::string& from, Turn turn) {
    Tensor tensor = weights_.tensor(from);
    require(tensor.dtype() == DType::kF32, ErrorKind::kInput,
            "{}: weight \"{}\" is {}; expected F32", where_, from, dtype_name(tensor.dtype()));
    tensors_.push_back({std::move(to), turned(tensor, turn, from)});
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
  for (const auto& [key, turn] : kLists) {
    if (settings.contains(key)) converter.take(settings.at(key), turn);
  }
  for (const Json& name : settings.value("dropped", Json::array()))
    converter.drop(name.get<std::string>());
  write_safetensors(folder / "model.safetensors", converter.finish(), {{"format", "pt"}});
  write_file_atomically(folder / "config.json", pretty_json(settings.at("config")));
  if (settings.contains("preprocessor")) {
    write_file_atomically(folder / "preprocessor_config.json",
                          pretty_json(settings.at("preprocessor")));
  }
  for (const Json& file : settings.value("copy", Json::array())) {
    auto name = file.get<std::string>();
    write_file_atomically(child_path(folder, name), read_file(child_path(unpacked, name)));
  }
}

}  // namespace inlay
