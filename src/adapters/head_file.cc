#include "adapters/head_file.h"

#include "adapters/strict_tensors.h"
#include "base/files.h"
#include "base/json.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

constexpr int64_t kVersion = 1;
constexpr std::size_t kMaxConfigBytes = 1u << 20;
constexpr std::size_t kMaxDense = 16;

Json to_json(const Head& head) {
  Json dense = Json::array();
  for (const HeadDense& layer : head.layout().dense) {
    dense.push_back(
        {{"name", layer.name}, {"activation", kernels::activation_name(layer.activation)}});
  }
  return {{"version", kVersion},
          {"pooling", head_input_name(head.layout().input)},
          {"dropout_first", head.layout().dropout_first},
          {"dense", dense},
          {"output", head.layout().output},
          {"output_bias", head.layout().output_bias},
          {"dropout", head.dropout()}};
}

HeadLayout layout_from(const Json& json, const std::string& where) {
  HeadLayout layout{
      .input = head_input_from_name(json_get<std::string>(json, "pooling", where), where),
      .dropout_first = json_get<bool>(json, "dropout_first", where),
      .output = json_get<std::string>(json, "output", where),
      .output_bias = json_get_or<bool>(json, "output_bias", true, where)};
  require(
      json.contains("dense") && json.at("dense").is_array() && json.at("dense").size() <= kMaxDense,
      ErrorKind::kInput, "{}: \"dense\" is not a list of at most {} layers", where, kMaxDense);
  for (const Json& layer : json.at("dense")) {
    layout.dense.push_back(
        {json_get<std::string>(layer, "name", where),
         parse_activation(json_get<std::string>(layer, "activation", where), where)});
  }
  return layout;
}

}  // namespace

bool same_layout(const HeadLayout& a, const HeadLayout& b) {
  auto same_dense = [](const HeadDense& x, const HeadDense& y) {
    return x.name == y.name && x.activation == y.activation;
  };
  return a.input == b.input && a.dropout_first == b.dropout_first && a.output == b.output &&
         a.output_bias == b.output_bias &&
         std::equal(a.dense.begin(), a.dense.end(), b.dense.begin(), b.dense.end(), same_dense);
}

void write_head_file(const std::filesystem::path& folder, const Head& head) {
  std::vector<NamedTensor> tensors;
  for (const Parameter& parameter : head.parameters()) {
    tensors.push_back({parameter.name(), parameter.value().to(DType::kF32)});
  }
  write_safetensors(folder / "head.safetensors", tensors, {{"format", "pt"}});
  write_file_atomically(folder / "head.json", pretty_json(to_json(head)));
}

std::unique_ptr<Head> read_head_file(const std::filesystem::path& folder, const BaseFacts& base) {
  std::filesystem::path path = folder / "head.json";
  if (!std::filesystem::exists(path)) return nullptr;
  std::string where = path.string();
  Json json = read_json(path, kMaxConfigBytes);
  auto version = json_get<int64_t>(json, "version", where);
  require(version == kVersion, ErrorKind::kInput, "{}: version {}; this program reads version {}",
          where, version, kVersion);
  HeadLayout layout = layout_from(json, where);
  auto dropout = json_get<double>(json, "dropout", where);
  require(dropout >= 0 && dropout < 1, ErrorKind::kInput,
          "{}: \"dropout\" is {}; expected 0 or more and below 1", where, dropout);
  StrictTensors tensors = StrictTensors::open(folder / "head.safetensors");
  int64_t inputs = base.channels_of(layout.input);
  int64_t outputs = tensors.outputs_of(layout.output + ".weight", inputs);
  auto head = std::make_unique<Head>(std::move(layout), inputs, outputs, dropout, 0);
  for (Parameter& parameter : head->parameters()) tensors.fill(parameter.name(), parameter);
  tensors.finish();
  return head;
}

}  // namespace inlay
