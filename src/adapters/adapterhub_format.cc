#include "adapters/adapterhub_format.h"

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_files.h"
#include "adapters/adapterhub_setup.h"
#include "adapters/composition.h"
#include "adapters/union_method.h"
#include "base/spec.h"

namespace inlay {

void write_adapterhub(const std::filesystem::path& folder, const AdapterBundle& bundle,
                      const BaseFacts& base) {
  const Adapter& adapter = *bundle.adapter;
  if (composition_of(adapter) != nullptr) return write_adapterhub_setup(folder, bundle, base);
  write_adapterhub_files(folder, adapterhub_parts(adapter.info(), adapter.method()), adapter, base,
                         record_of(bundle, base));
  write_head_beside(folder, bundle, base, adapterhub_name(adapter.name()));
}

LoadedAdapter read_adapterhub(const std::filesystem::path& folder, const Json& config,
                              const BaseFacts& base) {
  std::string where = (folder / "adapter_config.json").string();
  bool ours = config.contains(kRecordKey);
  AdapterRecord record;
  if (ours) {
    record = record_from_config(config, where);
    check_base(record, base, where);
  }
  AdapterHubConfig about = adapterhub_config_of(config, base, where);
  ConfiguredMethod method = method_from_adapterhub(about.method, about.version, base, where);
  // A union of a name of its own, such as mam.
  if (ours && union_parts(*method.method) != nullptr)
    method.info = &find_method(parse_spec(record.method).name);
  LoadedAdapter loaded;
  loaded.adapter = Adapter::create(ours ? record.name : about.name, std::move(method), base, 0);
  Adapter& adapter = *loaded.adapter;
  read_adapterhub_tensors(folder, adapterhub_parts(adapter.info(), adapter.method()), adapter, base,
                          about.name);
  read_head_beside(folder, base, loaded);
  if (ours) loaded.label = record.label;
  return loaded;
}

}  // namespace inlay
