#include "adapters/adapterhub_format.h"

#include <algorithm>

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_config.h"
#include "adapters/adapterhub_head.h"
#include "adapters/head_file.h"
#include "adapters/strict_tensors.h"
#include "base/files.h"
#include "base/spec.h"
#include "formats/safetensors.h"
#include "formats/torch_zip.h"

namespace inlay {
namespace {

constexpr const char* kVersion = "adapters.1.2.0";  // whose layout is written

// Where AdapterHub keeps an entry's module: a bottleneck after a whole layer is kept where one
// after the feed-forward part is.
const std::string& module_of(const BaseFacts& base, const Site& site, const std::string& part) {
  if (site.role != SiteRole::kLayerOutput || part.starts_with("units.")) return site.adapterhub;
  for (const Site* other : base.sites) {
    if (other->role == SiteRole::kFeedForwardBlock && other->layer == site.layer)
      return other->adapterhub;
  }
  return site.adapterhub;
}

// "bert.encoder.layer.0.output.adapters.<name>.adapter_up.weight", and "shared_parameters.<name>."
// where all layers share a tensor.
std::string key_of(const BaseFacts& base, const std::string& name, const Adapter::Entry& entry) {
  if (entry.site == nullptr)
    return fmt::format("{}shared_parameters.{}.{}", base.prefix, name, entry.part);
  return fmt::format("{}{}.{}.{}", base.prefix, module_of(base, *entry.site, entry.part), name,
                     entry.part);
}

// Module names hold no dots.
std::string module_name(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name.empty() ? "adapter" : name;
}

std::string model_class(const BaseFacts& base) {
  std::string name = base.bare_class;
  if (name.ends_with("Model")) name.resize(name.size() - 5);
  return name + "AdapterModel";
}

}  // namespace

void write_adapterhub(const std::filesystem::path& folder, const AdapterBundle& bundle,
                      const BaseFacts& base) {
  const Adapter& adapter = *bundle.adapter;
  Json about{{"hidden_size", base.hidden},
             {"model_class", model_class(base)},
             {"model_name", folder_name(base.folder)},
             {"model_type", base.model_type},
             {"name", module_name(adapter.name())},
             {"version", kVersion}};
  std::vector<NamedTensor> tensors;
  for (const Adapter::Entry& entry : adapter.entries()) {
    tensors.push_back(
        {key_of(base, about.at("name"), entry), entry.parameter.value().to(DType::kF32)});
  }
  write_safetensors(folder / "adapter.safetensors", tensors, {{"format", "pt"}});
  write_torch(folder / "pytorch_adapter.bin", tensors);
  if (bundle.head != nullptr) {
    if (adapterhub_holds(*bundle.head, bundle.label)) {
      write_adapterhub_head(folder, *bundle.head, bundle.label, about);
    } else {
      write_head_file(folder, *bundle.head);
    }
  }
  Json config = about;
  config["config"] = fields_to_adapterhub(adapter.info().name, adapter.config());
  config[kRecordKey] = record_to_json(record_of(bundle, base));
  write_file_atomically(folder / "adapter_config.json", config.dump(2, ' ', true));
}

LoadedAdapter read_adapterhub(const std::filesystem::path& folder, const Json& config,
                              const BaseFacts& base) {
  std::string where = (folder / "adapter_config.json").string();
  bool ours = config.contains(kRecordKey);
  AdapterRecord record;
  auto name = json_get<std::string>(config, "name", where);
  record.name = name;
  if (ours) {
    record = record_from_config(config, where);
    check_base(record, base, where);
  }
  auto version = json_get_or<std::string>(config, "version", "none", where);
  require(version.starts_with("adapters."), ErrorKind::kInput,
          "{}: \"version\" is \"{}\"; only adapters of the library \"adapters\" are read: load and "
          "save it there first",
          where, version);
  auto hidden = json_get_or<int64_t>(config, "hidden_size", base.hidden, where);
  require(hidden == base.hidden, ErrorKind::kInput,
          "{}: the adapter is for hidden size {}, but the base has {}", where, hidden, base.hidden);

  AdapterHubMethod about = method_from_adapterhub(config.at("config"), where);
  const MethodInfo& info = find_method(ours ? parse_spec(record.method).name : about.name);
  ConfiguredMethod method{&info, info.make()};
  fields_from_json([&](FieldVisitor& visit) { method.method->fields(visit); }, about.fields, where);
  LoadedAdapter loaded;
  loaded.adapter = Adapter::create(record.name, std::move(method), base, 0);
  std::filesystem::path weights = folder / "adapter.safetensors";
  if (!std::filesystem::exists(weights)) weights = folder / "pytorch_adapter.bin";
  StrictTensors tensors = StrictTensors::open(weights);
  for (Adapter::Entry& entry : loaded.adapter->entries())
    tensors.fill(key_of(base, name, entry), entry.parameter);
  tensors.finish();

  AdapterHubHead head = read_adapterhub_head(folder, base);
  loaded.head = head.head != nullptr ? std::move(head.head) : read_head_file(folder, base);
  loaded.label = ours ? record.label : head.label;
  return loaded;
}

}  // namespace inlay
