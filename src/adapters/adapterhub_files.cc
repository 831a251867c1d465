#include "adapters/adapterhub_files.h"

#include <algorithm>

#include "adapters/adapterhub_head.h"
#include "adapters/adapterhub_prompt.h"
#include "adapters/head_file.h"
#include "base/files.h"
#include "formats/safetensors.h"
#include "formats/torch_zip.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSafetensors = "adapter.safetensors";
constexpr const char* kTorch = "pytorch_adapter.bin";

std::string model_class(const BaseFacts& base) {
  std::string name = base.bare_class;
  if (name.ends_with("Model")) name.resize(name.size() - 5);
  return name + "AdapterModel";
}

bool belongs(const std::vector<AdapterHubPart>& parts, const Adapter::Entry& entry) {
  return std::any_of(parts.begin(), parts.end(), [&](const AdapterHubPart& part) {
    return entry.part.starts_with(part.beginning);
  });
}

}  // namespace

std::string adapterhub_name(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name.empty() ? "adapter" : name;
}

Json adapterhub_about(const BaseFacts& base, const std::string& name) {
  return {{"hidden_size", base.hidden},
          {"model_class", model_class(base)},
          {"model_name", folder_name(base.folder)},
          {"model_type", base.model_type},
          {"name", name},
          {"version", kAdapterHubVersion}};
}

void write_both_forms(const fs::path& folder, const std::string& safetensors,
                      const std::string& torch, const std::vector<NamedTensor>& tensors) {
  write_safetensors(folder / safetensors, tensors, {{"format", "pt"}});
  write_torch(folder / torch, tensors);
}

void write_adapterhub_files(const fs::path& folder, const std::vector<AdapterHubPart>& parts,
                            const Adapter& adapter, const BaseFacts& base,
                            const AdapterRecord& record) {
  std::string name = adapterhub_name(record.name);
  Json config = adapterhub_about(base, name);
  config["config"] = adapterhub_config(parts, base);
  config[kRecordKey] = record_to_json(record);
  std::vector<NamedTensor> tensors;
  for (const Adapter::Entry& entry : adapter.entries()) {
    if (!belongs(parts, entry)) continue;
    AdapterHubKey key = adapterhub_key(parts, base, name, entry);
    tensors.push_back({key.key, entry.parameter.value().to(DType::kF32).reshaped(key.shape)});
  }
  write_both_forms(folder, kSafetensors, kTorch, tensors);
  write_file_atomically(folder / "adapter_config.json", config.dump(2, ' ', true));
}

void write_head_beside(const fs::path& folder, const AdapterBundle& bundle, const BaseFacts& base,
                       const std::string& name) {
  if (bundle.head == nullptr) return;
  if (adapterhub_holds(*bundle.head, bundle.label)) {
    write_adapterhub_head(folder, *bundle.head, bundle.label, adapterhub_about(base, name));
  } else {
    write_head_file(folder, *bundle.head);
  }
}

AdapterHubConfig adapterhub_config_of(const Json& config, const BaseFacts& base,
                                      const std::string& where) {
  AdapterHubConfig about{.name = json_get<std::string>(config, "name", where),
                         .version = json_get_or<std::string>(config, "version", "none", where),
                         .method = config.value("config", Json())};
  require(about.version.starts_with("adapters."), ErrorKind::kInput,
          "{}: \"version\" is \"{}\"; only adapters of the library \"adapters\" are read: load and "
          "save it there first",
          where, about.version);
  auto hidden = json_get_or<int64_t>(config, "hidden_size", base.hidden, where);
  require(hidden == base.hidden, ErrorKind::kInput,
          "{}: the adapter is for hidden size {}, but the base has {}", where, hidden, base.hidden);
  return about;
}

StrictTensors open_either_form(const fs::path& folder, const char* safetensors, const char* torch) {
  bool safe = fs::exists(folder / safetensors);
  require(safe || fs::exists(folder / torch), ErrorKind::kInput, "{}: neither {} nor {} is there",
          folder.string(), safetensors, torch);
  return StrictTensors::open(folder / (safe ? safetensors : torch));
}

void read_adapterhub_tensors(const fs::path& folder, const std::vector<AdapterHubPart>& parts,
                             Adapter& adapter, const BaseFacts& base, const std::string& name) {
  StrictTensors tensors = open_either_form(folder, kSafetensors, kTorch);
  tensors.drop_copies([&](const std::string& key) { return prefix_pool_key(key, base); });
  for (Adapter::Entry& entry : adapter.entries()) {
    if (!belongs(parts, entry)) continue;
    AdapterHubKey key = adapterhub_key(parts, base, name, entry);
    tensors.fill(key.key, entry.parameter, key.shape);
  }
  tensors.finish();
}

void read_head_beside(const fs::path& folder, const BaseFacts& base, LoadedAdapter& loaded) {
  AdapterHubHead head = read_adapterhub_head(folder, base);
  loaded.head = head.head != nullptr ? std::move(head.head) : read_head_file(folder, base);
  loaded.label = head.label;
}

}  // namespace inlay
