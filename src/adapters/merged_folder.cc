#include "adapters/merged_folder.h"

#include <algorithm>
#include <array>
#include <set>

#include "adapters/head_file.h"
#include "adapters/merged_checkpoint.h"
#include "base/files.h"
#include "base/json.h"

namespace fs = std::filesystem;

namespace inlay {
namespace {

constexpr std::size_t kMaxConfigBytes = 16u << 20;

// A Hugging Face class with a head, told by PEFT's task type or, where PEFT has none, by the task.
struct ModelClass {
  const char* told_by;
  HeadKind kind;
  const char* suffix;
};
constexpr std::array<ModelClass, 4> kClasses{
    {{"SEQ_CLS", HeadKind::kSequenceClassification, "ForSequenceClassification"},
     {"TOKEN_CLS", HeadKind::kTokenClassification, "ForTokenClassification"},
     {"QUESTION_ANS", HeadKind::kQuestionAnswering, "ForQuestionAnswering"},
     {"multiple-choice", HeadKind::kMultipleChoice, "ForMultipleChoice"}}};

// The class whose head this is; null where it is no family's own.
const ModelClass* class_of(const LoadedAdapter& loaded, const BaseFacts& base) {
  if (loaded.head == nullptr) return nullptr;
  const HeadLabel& label = loaded.label;
  const std::string& told_by = label.peft_type.empty() ? label.task : label.peft_type;
  for (const ModelClass& model : kClasses) {
    if (told_by != model.told_by) continue;
    bool own = same_layout(base.head_layout(model.kind), loaded.head->layout());
    return own ? &model : nullptr;
  }
  return nullptr;
}

std::string class_name(const BaseFacts& base, const ModelClass& model) {
  const std::string& bare = base.bare_class;
  return bare.substr(0, bare.rfind("Model")) + model.suffix;
}

// What a bare model's tensor is called in a model with a head.
std::string prefixed(const BaseFacts& base, const std::string& name) {
  bool head = std::any_of(base.unused.begin(), base.unused.end(),
                          [&](const std::string& other) { return other == name; });
  bool of_body = name.starts_with("pooler.") || name.starts_with("embeddings.");
  bool done = name.starts_with(base.prefix) || (head && !of_body);
  return done ? name : base.prefix + name;
}

std::string outermost(const std::string& name) { return name.substr(0, name.find('.')); }

void add_head(std::vector<NamedTensor>& tensors, const Head& head, const BaseFacts& base) {
  std::set<std::string> own;
  for (const Parameter& parameter : head.parameters()) own.insert(outermost(parameter.name()));
  // The base's files may hold a head of another training under these names.
  std::erase_if(tensors,
                [&](const NamedTensor& named) { return own.contains(outermost(named.name)); });
  for (NamedTensor& named : tensors) named.name = prefixed(base, named.name);
  for (const Parameter& parameter : head.parameters())
    tensors.push_back({parameter.name(), parameter.value().to(DType::kF32)});
}

void describe_head(Json& config, const LoadedAdapter& loaded, const BaseFacts& base,
                   const ModelClass& model) {
  config["architectures"] = {class_name(base, model)};
  for (const char* key : {"id2label", "label2id", "num_labels", "problem_type"}) config.erase(key);
  // One output, whatever the number of choices.
  if (model.kind == HeadKind::kMultipleChoice) return;
  int64_t outputs = loaded.head->outputs();
  Json names = Json::object(), numbers = Json::object();
  for (int64_t i = 0; i < outputs; ++i) {
    auto place = static_cast<std::size_t>(i);
    const auto& classes = loaded.label.classes;
    std::string name = place < classes.size() ? classes[place] : fmt::format("LABEL_{}", i);
    names[std::to_string(i)] = name;
    numbers[name] = i;
  }
  config["id2label"] = names;
  config["label2id"] = numbers;
  config["num_labels"] = outputs;
  if (!loaded.label.problem_type.empty()) config["problem_type"] = loaded.label.problem_type;
}

// Where the tensors came from; Hugging Face keeps keys that it does not know.
Json origin(const LoadedAdapter& loaded, const BaseFacts& base) {
  return {{"merged",
           {{"base_root_hash", base.root_hash},
            {"method", loaded.adapter != nullptr ? loaded.adapter->info().name : "head"},
            {"adapter_hash", adapter_hash(loaded.adapter.get(), loaded.head.get())}}}};
}

// Tokenizer, generation and pooling settings and licences; neither weights nor records about the
// base's own files.
bool goes_along(const fs::path& file) {
  std::string name = file.filename().string(), ending = file.extension().string();
  bool record = name == "config.json" || name == "source.json" || name.ends_with(".index.json") ||
                name.starts_with("adapter_");
  bool licence = name.starts_with("LICENSE") || name.starts_with("NOTICE");
  return !record && (licence || ending == ".json" || ending == ".txt" || ending == ".model");
}

void copy_files(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    fs::path target = to / entry.path().filename();
    // sentence-transformers keeps each of its modules in a folder such as 1_Pooling.
    bool module = entry.is_directory() && fs::exists(from / "modules.json") &&
                  fs::exists(entry.path() / "config.json");
    if (module) {
      fs::create_directory(target);
      fs::copy_file(entry.path() / "config.json", target / "config.json");
    } else if (entry.is_regular_file() && goes_along(entry.path())) {
      fs::copy_file(entry.path(), target);
    }
  }
}

}  // namespace

MergedFolder write_merged_folder(const fs::path& folder, const LoadedAdapter& loaded,
                                 const BaseFacts& base, const Checkpoint& checkpoint) {
  require(fs::is_directory(base.folder), ErrorKind::kUsage,
          "{}: merging writes a Hugging Face folder, and the base is a file; give the folder that "
          "the file was made of",
          base.folder.string());
  MergedCheckpoint merged = merge_into(checkpoint, base, loaded.adapter.get());
  const ModelClass* model = class_of(loaded, base);
  Json config = read_json(base.folder / "config.json", kMaxConfigBytes);
  if (model != nullptr) {
    add_head(merged.tensors, *loaded.head, base);
    describe_head(config, loaded, base, *model);
  }
  config["inlay"] = origin(loaded, base);
  copy_files(base.folder, folder);
  write_file_atomically(folder / "config.json", pretty_json(config));
  write_safetensors(folder / "model.safetensors", merged.tensors, {{"format", "pt"}});
  return {merged.tensors.size(), merged.changed, model != nullptr};
}

}  // namespace inlay
