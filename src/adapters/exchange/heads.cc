#include "adapters/exchange/heads.h"

#include <algorithm>
#include <array>
#include <map>

#include "adapters/adapter_record.h"
#include "base/files.h"
#include "formats/torch_zip.h"

namespace inlay::exchange {
namespace {

constexpr std::size_t kMaxConfigBytes = 16u << 20;

// Dropout, a dense layer with an activation where there is one, dropout, and the output.
struct HeadForm {
  const char* model_type;
  const char* task_type;
  const char* dense;  // null without
  const char* output;
  const char* activation;
  bool pooler;  // reads the pooler's output, not the first token's or every token's
};

constexpr auto kForms = std::to_array<HeadForm>({
    {"bert", "SEQ_CLS", nullptr, "classifier", "tanh", true},
    {"roberta", "SEQ_CLS", "classifier.dense", "classifier.out_proj", "tanh", false},
    {"xlm-roberta", "SEQ_CLS", "classifier.dense", "classifier.out_proj", "tanh", false},
    {"electra", "SEQ_CLS", "classifier.dense", "classifier.out_proj", "gelu", false},
    {"distilbert", "SEQ_CLS", "pre_classifier", "classifier", "relu", false},
    {"bert", "TOKEN_CLS", nullptr, "classifier", "tanh", false},
    {"roberta", "TOKEN_CLS", nullptr, "classifier", "tanh", false},
    {"xlm-roberta", "TOKEN_CLS", nullptr, "classifier", "tanh", false},
    {"electra", "TOKEN_CLS", nullptr, "classifier", "tanh", false},
    {"distilbert", "TOKEN_CLS", nullptr, "classifier", "tanh", false},
});

const HeadForm* head_form(const std::string& model_type, const std::string& task_type) {
  const auto* found = std::find_if(kForms.begin(), kForms.end(), [&](const HeadForm& form) {
    return model_type == form.model_type && task_type == form.task_type;
  });
  return found == kForms.end() ? nullptr : found;
}

// Hugging Face's names by AdapterHub's.
std::map<std::string, std::string> names_of(const HeadForm& form, const std::string& name) {
  std::map<std::string, std::string> names;
  int number = 1;
  for (const char* layer : {form.dense, form.output}) {
    if (layer == nullptr) continue;
    for (const char* part : {"weight", "bias"})
      names[fmt::format("heads.{}.{}.{}", name, number, part)] = fmt::format("{}.{}", layer, part);
    number += 3;
  }
  return names;
}

bool same_form(const HeadForm& form, const Json& config, const std::string& where) {
  bool tagging = std::string(form.task_type) == "TOKEN_CLS";
  auto layers = json_get_or<int64_t>(config, "layers", tagging ? 1 : 2, where);
  auto activation = json_get_or<std::string>(config, "activation_function", "tanh", where);
  return layers == (form.dense != nullptr ? 2 : 1) &&
         (form.dense == nullptr || activation == form.activation) &&
         (tagging || json_get_or<bool>(config, "use_pooler", false, where) == form.pooler) &&
         json_get_or<bool>(config, "bias", true, where);
}

std::string task_type_of(const std::string& head_type) {
  if (head_type == "tagging") return "TOKEN_CLS";
  bool sequence = head_type == "classification" || head_type == "multilabel_classification";
  return sequence ? "SEQ_CLS" : "";
}

std::string recorded(const LoraAdapter& adapter, const char* key) {
  return adapter.record.is_object()
             ? json_get_or<std::string>(adapter.record, key, "",
                                        std::string("\"") + kRecordKey + "\"")
             : "";
}

std::string head_type_of(LoraAdapter& adapter, int64_t outputs) {
  if (!adapter.head_type.empty()) return adapter.head_type;
  if (adapter.task_type == "TOKEN_CLS") return "tagging";
  std::string problem = recorded(adapter, "problem_type");
  if (problem == "multi_label_classification") return "multilabel_classification";
  if (problem.empty() && outputs > 1) {
    adapter.notes.emplace_back(
        "the head is taken to give one class per text, as PEFT's files do not say; for several "
        "labels set \"head_type\" in head_config.json to multilabel_classification");
  }
  return "classification";
}

Json label_numbers(const LoraAdapter& adapter) {
  if (!adapter.label_numbers.is_null() || !adapter.record.is_object()) return adapter.label_numbers;
  Json classes = adapter.record.value("classes", Json::array()), numbers;
  for (const Json& name : classes) {
    require(name.is_string(), ErrorKind::kInput, "\"{}\": a class is {}; expected a name",
            kRecordKey, name.type_name());
    numbers[name.get<std::string>()] = numbers.size();
  }
  return numbers;
}

}  // namespace

void read_adapterhub_head(const Source& source, LoraAdapter& adapter) {
  std::filesystem::path path = source.folder / "head_config.json";
  if (!std::filesystem::exists(path)) return;
  std::string where = path.string();
  Json file = read_json(path, kMaxConfigBytes);
  auto name = json_get<std::string>(file, "name", where);
  Json config = file.value("config", Json());
  auto head_type = json_get<std::string>(config, "head_type", where);
  TensorPile pile =
      TensorPile::open_first(source.folder, {"model_head.safetensors", "pytorch_model_head.bin"});
  const HeadForm* form = head_form(adapter.model_type, task_type_of(head_type));
  if (form == nullptr || !same_form(*form, config, where)) {
    adapter.foreign_head = true;
    for (const std::string& key : pile.names()) adapter.head.push_back({key, pile.take(key)});
    return;
  }
  for (const auto& [theirs, ours] : names_of(*form, name))
    adapter.head.push_back({ours, pile.take(theirs)});
  pile.finish("a head of AdapterHub named \"" + name + "\"");
  adapter.task_type = form->task_type;
  adapter.head_type = head_type;
  adapter.label_numbers = config.value("label2id", Json());
  adapter.bare = false;
  std::string dense = form->dense == nullptr ? "" : form->dense;
  if (dense == "pre_classifier") adapter.head_modules.push_back(dense);
  adapter.head_modules.insert(adapter.head_modules.end(), {"classifier", "score"});
}

void write_adapterhub_head(LoraAdapter& adapter, const Json& about, const Target& target) {
  if (adapter.head.empty()) return;
  const HeadForm* form = head_form(about.at("model_type"), adapter.task_type);
  if (form == nullptr || adapter.foreign_head) refuse_head(adapter, "AdapterHub");
  std::vector<NamedTensor> tensors;
  int64_t outputs = 0;
  for (const auto& [theirs, ours] : names_of(*form, target.name)) {
    auto found = std::find_if(adapter.head.begin(), adapter.head.end(),
                              [&name = ours](const NamedTensor& x) { return x.name == name; });
    bool fits = found != adapter.head.end() && found->tensor.shape().rank() >= 1;
    if (!fits) refuse_head(adapter, "AdapterHub, whose head has " + ours + ",");
    if (ours == std::string(form->output) + ".weight") outputs = found->tensor.dim(0);
    tensors.push_back({theirs, found->tensor});
  }
  if (tensors.size() != adapter.head.size()) refuse_head(adapter, "AdapterHub");
  Json config{{"head_type", head_type_of(adapter, outputs)},
              {"num_labels", outputs},
              {"layers", form->dense != nullptr ? 2 : 1},
              {"activation_function", form->activation},
              {"label2id", label_numbers(adapter)},
              {"bias", true},
              {"dropout_prob", nullptr}};
  if (adapter.task_type == "SEQ_CLS") config["use_pooler"] = form->pooler;
  Json file = about;
  file["config"] = config;
  write_safetensors(target.folder / "model_head.safetensors", tensors, {{"format", "pt"}});
  write_torch(target.folder / "pytorch_model_head.bin", tensors);
  write_file_atomically(target.folder / "head_config.json", file.dump(2, ' ', true));
}

void read_own_head(const std::filesystem::path& folder, LoraAdapter& adapter) {
  if (!std::filesystem::exists(folder / "head.json")) return;
  TensorPile pile = TensorPile::open_first(folder, {"head.safetensors"});
  for (const std::string& name : pile.names())
    adapter.head.push_back({name + " (of head.json)", pile.take(name)});
  adapter.foreign_head = true;
}

}  // namespace inlay::exchange
