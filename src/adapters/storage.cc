#include "adapters/storage.h"

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_files.h"
#include "adapters/adapterhub_format.h"
#include "adapters/adapterhub_setup.h"
#include "adapters/composition.h"
#include "adapters/native_format.h"
#include "adapters/peft_form.h"
#include "adapters/peft_format.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/staged_folder.h"

namespace fs = std::filesystem;

namespace inlay {
namespace {

constexpr const char* kConfigFile = "adapter_config.json";

void hash_parameter(Sha256& hash, const Parameter& parameter) {
  hash.update(fmt::format("{} {}\n", parameter.name(), parameter.shape().text()));
  hash.update(parameter.value().bytes());
}

// A composition also as AdapterHub names it, where it has such a form.
void write_setup(const fs::path& folder, const Adapter* adapter) {
  const CompositionNode* node = adapter != nullptr ? composition_of(*adapter) : nullptr;
  if (node == nullptr || !has_adapterhub_setup(*node)) return;
  Json setup{{"adapter_setup", adapterhub_setup(*node)},
             {"head_setup", nullptr},
             {"version", kAdapterHubVersion}};
  write_file_atomically(folder / kSetupFile, setup.dump(2, ' ', true));
}

void write_format(AdapterFormat format, const fs::path& folder, const AdapterBundle& bundle,
                  const BaseFacts& base) {
  switch (format) {
    case AdapterFormat::kPeft:
      return write_peft(folder, bundle, base);
    case AdapterFormat::kAdapterHub:
      return write_adapterhub(folder, bundle, base);
    case AdapterFormat::kNative:
      write_native(folder, bundle, base);
      return write_setup(folder, bundle.adapter);
  }
}

void check_peft_holds(const Adapter& adapter) {
  const MethodInfo& info = adapter.info();
  require(info.peft != nullptr, ErrorKind::kInput, "PEFT has no counterpart of method {}",
          info.name);
  require(adapter.method().fits_format(), ErrorKind::kInput,
          "PEFT's {} has no place for the settings of this adapter: {}", info.peft->type,
          adapter.method_text());
}

}  // namespace

void save_adapter(const fs::path& folder, const AdapterBundle& bundle, const BaseFacts& base) {
  StagedFolder staged(folder, StagedFolder::kReplace);
  AdapterBundle kept = bundle;
  std::unique_ptr<Adapter> finished =
      bundle.adapter != nullptr ? bundle.adapter->finished(base) : nullptr;
  if (finished != nullptr) kept.adapter = finished.get();
  bool fits = kept.adapter != nullptr && kept.adapter->method().fits_format();
  write_format(fits ? kept.adapter->info().format : AdapterFormat::kNative, staged.path(), kept,
               base);
  staged.place();
}

void save_adapter_as(AdapterFormat format, const fs::path& folder, const AdapterBundle& bundle,
                     const BaseFacts& base) {
  if (format == AdapterFormat::kPeft) check_peft_holds(*bundle.adapter);
  StagedFolder staged(folder, StagedFolder::kRefuse);
  write_format(format, staged.path(), bundle, base);
  bool whole = format == AdapterFormat::kNative || !fs::exists(staged.path() / "head.json");
  require(whole, ErrorKind::kInput,
          "{} has no place for this head, {}, as it is; convert the adapter without it "
          "(--without-head)",
          format == AdapterFormat::kPeft ? "PEFT" : "AdapterHub",
          bundle.label.task.empty() ? "of a task that is not known" : bundle.label.task);
  staged.place();
}

HeadLabel recorded_label(const fs::path& folder) {
  if (is_adapterhub_setup(folder)) return recorded_setup_label(folder);
  Json config = read_adapter_config(folder);
  if (!config.contains(kRecordKey)) return {};
  return record_from_config(config, (folder / kConfigFile).string()).label;
}

LoadedAdapter load_adapter(const fs::path& folder, const BaseFacts& base) {
  if (is_adapterhub_setup(folder)) return read_adapterhub_setup(folder, base);
  Json config = read_adapter_config(folder);
  if (config.contains("peft_type")) return read_peft(folder, config, base);
  if (config.contains("config")) return read_adapterhub(folder, config, base);
  require(config.contains(kRecordKey), ErrorKind::kInput,
          "{}: neither PEFT's, AdapterHub's nor our own adapter: no key \"peft_type\", \"config\" "
          "or \"{}\"",
          (folder / kConfigFile).string(), kRecordKey);
  return read_native(folder, config, base);
}

std::string adapter_hash(const Adapter* adapter, const Head* head) {
  Sha256 hash;
  if (adapter != nullptr) {
    for (const Adapter::Entry& entry : adapter->entries()) hash_parameter(hash, entry.parameter);
  }
  if (head != nullptr) {
    for (const Parameter& parameter : head->parameters()) hash_parameter(hash, parameter);
  }
  return hex(hash.finish());
}

}  // namespace inlay
