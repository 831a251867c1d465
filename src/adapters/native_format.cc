#include "adapters/native_format.h"

#include "adapters/adapter_record.h"
#include "adapters/head_file.h"
#include "adapters/strict_tensors.h"
#include "base/files.h"
#include "formats/safetensors.h"

namespace inlay {

void write_native(const std::filesystem::path& folder, const AdapterBundle& bundle,
                  const BaseFacts& base) {
  std::vector<NamedTensor> tensors;
  if (bundle.adapter != nullptr) {
    for (const Adapter::Entry& entry : bundle.adapter->entries()) {
      tensors.push_back({entry.parameter.name(), entry.parameter.value()});
    }
  }
  if (!tensors.empty())
    write_safetensors(folder / "adapter.safetensors", tensors, {{"format", "pt"}});
  if (bundle.head != nullptr) write_head_file(folder, *bundle.head);
  Json config{{kRecordKey, record_to_json(record_of(bundle, base))}};
  write_file_atomically(folder / "adapter_config.json", pretty_json(config));
}

LoadedAdapter read_native(const std::filesystem::path& folder, const Json& config,
                          const BaseFacts& base) {
  std::string where = (folder / "adapter_config.json").string();
  AdapterRecord record = record_from_config(config, where);
  check_base(record, base, where);
  LoadedAdapter loaded;
  loaded.label = record.label;
  loaded.adapter = Adapter::create(record.name, parse_method(record.method), base, 0);
  if (!loaded.adapter->entries().empty()) {
    StrictTensors tensors = StrictTensors::open(folder / "adapter.safetensors");
    for (Adapter::Entry& entry : loaded.adapter->entries())
      tensors.fill(entry.parameter.name(), entry.parameter);
    tensors.finish();
  }
  loaded.head = read_head_file(folder, base);
  return loaded;
}

}  // namespace inlay
