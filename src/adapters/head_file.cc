#include "adapters/head_file.h"

#include <algorithm>
#include <set>
#include <string>

#include "adapters/strict_tensors.h"
#include "base/files.h"
#include "base/json.h"
#include "formats/safetensors.h"
#include "nn/detection_head.h"

namespace inlay {
namespace {

constexpr int64_t kVersion = 1;
constexpr std::size_t kMaxConfigBytes = 1u << 20;
constexpr std::size_t kMaxDense = 16;
constexpr std::size_t kMaxLevels = 8;
constexpr int64_t kMaxWidth = 512;
constexpr int64_t kMaxChannels = 1 << 20;

Json to_json(const Head& head) {
  const HeadLayout& layout = head.layout();
  Json dense = Json::array();
  for (const HeadDense& layer : layout.dense) {
    dense.push_back(
        {{"name", layer.name}, {"activation", kernels::activation_name(layer.activation)}});
  }
  Json json{{"version", kVersion},
            {"pooling", head_input_name(layout.input)},
            {"dropout_first", layout.dropout_first},
            {"dense", dense},
            {"output", layout.output},
            {"output_bias", layout.output_bias},
            {"dropout", head.dropout()}};
  if (layout.input == HeadInput::kPyramid) {
    json["levels"] = layout.levels;
    json["width"] = layout.width;
  }
  if (layout.embedding > 0) json["embedding"] = layout.embedding;
  if (layout.cosine) json["cosine"] = true;
  return json;
}

void require_size(int64_t size, int64_t most, const char* name, const std::string& where) {
  require(size >= 1 && size <= most, ErrorKind::kInput, "{}: \"{}\" is {}; expected 1 to {}", where,
          name, size, most);
}

void read_pyramid(HeadLayout& layout, const Json& json, const std::string& where) {
  bool listed = json.contains("levels") && json.at("levels").is_array() &&
                !json.at("levels").empty() && json.at("levels").size() <= kMaxLevels;
  require(listed, ErrorKind::kInput, "{}: \"levels\" is not a list of 1 to {} numbers of channels",
          where, kMaxLevels);
  layout.levels.reserve(json.at("levels").size());
  for (const Json& channels : json.at("levels")) {
    require(channels.is_number_integer(), ErrorKind::kInput,
            "{}: \"levels\" holds something that is no number of channels", where);
    layout.levels.push_back(channels.get<int64_t>());
    require_size(layout.levels.back(), kMaxChannels, "levels", where);
  }
  layout.width = json_get<int64_t>(json, "width", where);
  require_size(layout.width, kMaxWidth, "width", where);
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
  if (layout.input == HeadInput::kPyramid) read_pyramid(layout, json, where);
  layout.embedding = json_get_or<int64_t>(json, "embedding", 0, where);
  if (layout.embedding != 0) require_size(layout.embedding, kMaxChannels, "embedding", where);
  layout.cosine = json_get_or<bool>(json, "cosine", false, where);
  bool plain = layout.dense.empty() && layout.embedding == 0 && !layout.cosine;
  require(layout.input != HeadInput::kPyramid || plain, ErrorKind::kInput,
          "{}: a head that reads a pyramid has neither \"dense\" nor \"embedding\" nor \"cosine\"",
          where);
  require(!layout.cosine || !layout.output_bias, ErrorKind::kInput,
          "{}: \"output_bias\" is true, and cosines have none", where);
  return layout;
}

// A linear layer of the file as the layout has it: before anything as large is made.
void require_linear(const StrictTensors& tensors, const std::string& name, int64_t outputs,
                    int64_t inputs, const std::string& where) {
  int64_t found = tensors.outputs_of(name + ".weight", inputs);
  require(found == outputs, ErrorKind::kInput,
          "{}: {}.weight gives {} numbers, and the layout says {}", where, name, found, outputs);
}

// What the output layer reads.
int64_t output_inputs(const HeadLayout& layout, const StrictTensors& tensors, int64_t inputs,
                      const std::string& where) {
  for (std::size_t i = 0; i < layout.levels.size(); ++i) {
    require_linear(tensors, fmt::format("pyramid.lateral.{}", i), layout.width, layout.levels[i],
                   where);
  }
  if (layout.input == HeadInput::kPyramid) return layout.width;
  if (layout.embedding == 0) return inputs;
  require_linear(tensors, "embedding", layout.embedding, inputs, where);
  return layout.embedding;
}

void require_distinct(const Head& head, const std::string& where) {
  std::set<std::string> names;
  for (const Parameter& parameter : head.parameters()) {
    require(names.insert(parameter.name()).second, ErrorKind::kInput,
            "{}: two layers of the head have a tensor {}", where, parameter.name());
  }
}

}  // namespace

bool same_layout(const HeadLayout& a, const HeadLayout& b) {
  auto same_dense = [](const HeadDense& x, const HeadDense& y) {
    return x.name == y.name && x.activation == y.activation;
  };
  return a.input == b.input && a.dropout_first == b.dropout_first && a.output == b.output &&
         a.output_bias == b.output_bias && a.levels == b.levels && a.width == b.width &&
         a.embedding == b.embedding && a.cosine == b.cosine &&
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
  int64_t outputs =
      tensors.outputs_of(layout.output + ".weight", output_inputs(layout, tensors, inputs, where));
  require(layout.input != HeadInput::kPyramid || outputs > kBoxOutputs, ErrorKind::kInput,
          "{}: {} outputs of a place leave none for a class", where, outputs);
  auto head = std::make_unique<Head>(std::move(layout), inputs, outputs, dropout, 0);
  require_distinct(*head, where);
  for (Parameter& parameter : head->parameters()) tensors.fill(parameter.name(), parameter);
  tensors.finish();
  return head;
}

}  // namespace inlay
