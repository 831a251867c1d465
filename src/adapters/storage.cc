#include "adapters/storage.h"

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_format.h"
#include "adapters/native_format.h"
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

void write_format(const fs::path& folder, const AdapterBundle& bundle, const BaseFacts& base) {
  bool fits = bundle.adapter != nullptr && bundle.adapter->method().fits_format();
  AdapterFormat format = fits ? bundle.adapter->info().format : AdapterFormat::kNative;
  switch (format) {
    case AdapterFormat::kPeft:
      return write_peft(folder, bundle, base);
    case AdapterFormat::kAdapterHub:
      return write_adapterhub(folder, bundle, base);
    case AdapterFormat::kNative:
      return write_native(folder, bundle, base);
  }
}

}  // namespace

void save_adapter(const fs::path& folder, const AdapterBundle& bundle, const BaseFacts& base) {
  StagedFolder staged(folder, StagedFolder::kReplace);
  AdapterBundle kept = bundle;
  std::unique_ptr<Adapter> finished =
      bundle.adapter != nullptr ? bundle.adapter->finished(base) : nullptr;
  if (finished != nullptr) kept.adapter = finished.get();
  write_format(staged.path(), kept, base);
  staged.place();
}

HeadLabel recorded_label(const fs::path& folder) {
  Json config = read_adapter_config(folder);
  if (!config.contains(kRecordKey)) return {};
  return record_from_config(config, (folder / kConfigFile).string()).label;
}

LoadedAdapter load_adapter(const fs::path& folder, const BaseFacts& base) {
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
