#include "adapters/adapterhub_head.h"

#include <algorithm>

#include "adapters/head_file.h"
#include "adapters/strict_tensors.h"
#include "base/files.h"
#include "formats/safetensors.h"
#include "formats/torch_zip.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxHeadConfigBytes = 16u << 20;
constexpr double kUsualDropout = 0.1;  // where the file leaves it to the base
constexpr int64_t kMaxLayers = 16;

struct HeadType {
  const char* head_type;
  const char* task;
  const char* problem_type;
  const char* peft_type;
};
// Regression is a classification with one output.
constexpr HeadType kTypes[] = {
    {"classification", "text-classification", "single_label_classification", "SEQ_CLS"},
    {"classification", "regression", "regression", "SEQ_CLS"},
    {"multilabel_classification", "multi-label-classification", "multi_label_classification",
     "SEQ_CLS"},
    {"tagging", "token-classification", "", "TOKEN_CLS"},
};

// "heads.<name>.<number>.weight": the parameters come as weight and bias of each layer.
std::string key_of(const std::string& name, const Parameter& parameter, std::size_t index) {
  const char* part = parameter.name().ends_with(".bias") ? "bias" : "weight";
  return fmt::format("heads.{}.{}.{}", name, 3 * (index / 2) + 1, part);
}

const HeadType* type_of(const HeadLabel& label) {
  for (const HeadType& type : kTypes) {
    if (label.task == type.task) return &type;
  }
  return nullptr;
}

Json label_numbers(const std::vector<std::string>& classes) {
  if (classes.empty()) return nullptr;
  Json numbers = Json::object();
  for (std::size_t i = 0; i < classes.size(); ++i) numbers[classes[i]] = i;
  return numbers;
}

std::vector<std::string> class_names(const Json& config, int64_t outputs,
                                     const std::string& where) {
  std::vector<std::string> classes(static_cast<std::size_t>(outputs));
  for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = fmt::format("LABEL_{}", i);
  if (!config.contains("label2id") || config.at("label2id").is_null()) return classes;
  const Json& numbers = config.at("label2id");
  require(numbers.is_object() && numbers.size() == classes.size(), ErrorKind::kInput,
          "{}: \"label2id\" does not name each of the {} outputs", where, outputs);
  std::vector<bool> named(classes.size());
  for (const auto& [name, value] : numbers.items()) {
    bool fits = value.is_number_integer() && value >= 0 && value < outputs &&
                !named[value.get<std::size_t>()];
    require(fits, ErrorKind::kInput,
            "{}: \"label2id\" gives \"{}\" the number {}; expected each of 0 to {} once", where,
            name, value.dump(-1, ' ', true).substr(0, 40), outputs - 1);
    named[value.get<std::size_t>()] = true;
    classes[value.get<std::size_t>()] = name;
  }
  return classes;
}

bool same_form(HeadLayout a, const HeadLayout& b) {
  if (a.dense.size() != b.dense.size()) return false;
  a.output = b.output;
  for (std::size_t i = 0; i < a.dense.size(); ++i) a.dense[i].name = b.dense[i].name;
  return same_layout(a, b);
}

// The layers' names are the family's own where its head has the same form.
HeadLayout layout_from(const Json& config, bool tagging, const BaseFacts& base,
                       const std::string& where) {
  auto layers = json_get_or<int64_t>(config, "layers", tagging ? 1 : 2, where);
  require(layers >= 1 && layers <= kMaxLayers, ErrorKind::kInput,
          "{}: \"layers\" is {}; expected 1 to {}", where, layers, kMaxLayers);
  require(json_get_or<bool>(config, "bias", true, where), ErrorKind::kInput,
          "{}: \"bias\" is false; only heads with biases are supported", where);
  bool pooler = !tagging && json_get_or<bool>(config, "use_pooler", false, where);
  require(!pooler || base.has_pooler, ErrorKind::kInput,
          "{}: \"use_pooler\" is true, but the base has no pooler", where);
  HeadLayout layout{.input = tagging  ? HeadInput::kTokens
                             : pooler ? HeadInput::kPooler
                                      : HeadInput::kFirst,
                    .output = layers == 1 ? "classifier" : "classifier.out_proj"};
  auto name = json_get_or<std::string>(config, "activation_function", "tanh", where);
  for (int64_t i = 0; i + 1 < layers; ++i) {
    std::string dense = i == 0 ? "classifier.dense" : fmt::format("classifier.dense.{}", i);
    layout.dense.push_back({dense, parse_activation(name, where)});
  }
  const HeadLayout& usual = tagging ? base.token_head : base.sequence_head;
  return same_form(layout, usual) ? usual : layout;
}

HeadLabel label_from(const Json& config, int64_t outputs, const std::string& where) {
  auto head_type = json_get<std::string>(config, "head_type", where);
  const HeadType* found = nullptr;
  for (const HeadType& type : kTypes) {
    bool regression = std::string_view(type.task) == "regression";
    bool one_value = head_type == "classification" && outputs == 1;
    if (head_type == type.head_type && regression == one_value) found = &type;
  }
  require(
      found != nullptr, ErrorKind::kInput,
      "{}: \"head_type\" is \"{}\"; expected classification, multilabel_classification or tagging",
      where, head_type);
  HeadLabel label{found->task, found->problem_type, found->peft_type, {}};
  if (label.task != "regression") label.classes = class_names(config, outputs, where);
  return label;
}

}  // namespace

bool adapterhub_holds(const Head& head, const HeadLabel& label) {
  const HeadLayout& layout = head.layout();
  const HeadType* type = type_of(label);
  bool pools_alike = layout.input != HeadInput::kMean && layout.input != HeadInput::kLast;
  if (type == nullptr || !pools_alike || !layout.dropout_first || !layout.output_bias) return false;
  if ((layout.input == HeadInput::kTokens) != (label.task == "token-classification")) return false;
  // AdapterHub takes a classification with one output for a regression.
  if ((label.task == "regression") !=
      (std::string_view(type->head_type) == "classification" && head.outputs() == 1)) {
    return false;
  }
  return std::all_of(layout.dense.begin(), layout.dense.end(), [&](const HeadDense& dense) {
    return dense.activation == layout.dense.front().activation;
  });
}

void write_adapterhub_head(const std::filesystem::path& folder, const Head& head,
                           const HeadLabel& label, const Json& about) {
  const HeadLayout& layout = head.layout();
  Json config{
      {"head_type", type_of(label)->head_type},
      {"num_labels", head.outputs()},
      {"layers", layout.dense.size() + 1},
      {"activation_function",
       layout.dense.empty() ? "tanh" : kernels::activation_name(layout.dense.front().activation)},
      {"label2id", label_numbers(label.classes)},
      {"bias", true},
      {"dropout_prob", head.dropout()}};
  if (layout.input != HeadInput::kTokens) config["use_pooler"] = layout.input == HeadInput::kPooler;
  Json file = about;
  file["config"] = config;
  std::vector<NamedTensor> tensors;
  for (const Parameter& parameter : head.parameters()) {
    tensors.push_back(
        {key_of(about.at("name"), parameter, tensors.size()), parameter.value().to(DType::kF32)});
  }
  write_safetensors(folder / "model_head.safetensors", tensors, {{"format", "pt"}});
  write_torch(folder / "pytorch_model_head.bin", tensors);
  write_file_atomically(folder / "head_config.json", file.dump(2, ' ', true));
}

AdapterHubHead read_adapterhub_head(const std::filesystem::path& folder, const BaseFacts& base) {
  std::filesystem::path path = folder / "head_config.json";
  if (!std::filesystem::exists(path)) return {};
  std::string where = path.string();
  Json file = read_json(path, kMaxHeadConfigBytes);
  auto name = json_get<std::string>(file, "name", where);
  Json config = file.value("config", Json());
  bool tagging = json_get<std::string>(config, "head_type", where) == "tagging";
  HeadLayout layout = layout_from(config, tagging, base, where);
  double dropout = json_get_or<double>(config, "dropout_prob", kUsualDropout, where);
  require(dropout >= 0 && dropout < 1, ErrorKind::kInput,
          "{}: \"dropout_prob\" is {}; expected 0 or more and below 1", where, dropout);

  std::filesystem::path weights = folder / "model_head.safetensors";
  if (!std::filesystem::exists(weights)) weights = folder / "pytorch_model_head.bin";
  StrictTensors tensors = StrictTensors::open(weights);
  std::string last = fmt::format("heads.{}.{}.weight", name, 3 * layout.dense.size() + 1);
  int64_t inputs = base.channels_of(layout.input);
  int64_t outputs = tensors.outputs_of(last, inputs);
  AdapterHubHead read{std::make_unique<Head>(layout, inputs, outputs, dropout, 0),
                      label_from(config, outputs, where)};
  std::size_t index = 0;
  for (Parameter& parameter : read.head->parameters())
    tensors.fill(key_of(name, parameter, index++), parameter);
  tensors.finish();
  return read;
}

}  // namespace inlay
