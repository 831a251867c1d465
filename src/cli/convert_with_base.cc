#include "cli/convert_with_base.h"

#include "adapters/adapter_record.h"
#include "adapters/adapterhub_setup.h"
#include "adapters/storage.h"
#include "cli/command.h"
#include "models/model.h"

namespace inlay::cli {
namespace {

using exchange::FileFormat;

const char* source_format(const std::filesystem::path& folder) {
  if (is_adapterhub_setup(folder)) return "adapterhub";
  Json config = read_adapter_config(folder);
  if (config.contains("peft_type")) return "peft";
  return config.contains("config") ? "adapterhub" : "inlay";
}

AdapterFormat format_for(FileFormat to, const std::string& method) {
  if (to == FileFormat::kPeft) return AdapterFormat::kPeft;
  if (to == FileFormat::kAdapterHub) return AdapterFormat::kAdapterHub;
  fail(ErrorKind::kInput,
       "{} has files for {} alone, and this adapter is of method {}; --to peft or adapterhub",
       exchange::file_format_name(to), to == FileFormat::kGguf ? "LoRA" : "LoRA and DoRA", method);
}

std::unique_ptr<Adapter> renamed(const Adapter& adapter, const std::string& name,
                                 const BaseFacts& base) {
  std::map<std::string, Tensor> values;
  for (const Adapter::Entry& entry : adapter.entries())
    values[entry.parameter.name()] = entry.parameter.value();
  return Adapter::create(name, parse_method(adapter.method_text()), base, 0, std::move(values));
}

Json conversion_json(const BaseConversion& wanted, FileFormat to, const Adapter& adapter) {
  Json notes = Json::array();
  if (wanted.without_head) notes.push_back("the head is left out, as --without-head asks");
  int64_t parameters = 0;
  for (const Adapter::Entry& entry : adapter.entries())
    parameters += entry.parameter.value().count();
  return {{"from", source_format(wanted.adapter)},
          {"to", exchange::file_format_name(to)},
          {"folder", wanted.out.string()},
          {"kind", adapter.info().name},
          {"modules", adapter.sites().size()},
          {"parameters", parameters},
          {"rank", nullptr},
          {"scale", nullptr},
          {"notes", notes}};
}

}  // namespace

Json convert_with_base(const BaseConversion& wanted, FileFormat to) {
  require(!wanted.model.empty(), ErrorKind::kUsage,
          "{} is no LoRA adapter; what others become depends on the base: give --model with it",
          wanted.adapter.string());
  std::shared_ptr<const Model> model = load_model(resolve_model(wanted.model));
  const BaseFacts& base = model->facts();
  LoadedAdapter loaded = load_adapter(wanted.adapter, base);
  AdapterFormat format = format_for(to, loaded.adapter->info().name);
  if (!wanted.name.empty()) loaded.adapter = renamed(*loaded.adapter, wanted.name, base);
  AdapterBundle bundle{loaded.adapter.get(), loaded.head.get(), loaded.label};
  if (wanted.without_head) bundle = {.adapter = loaded.adapter.get()};
  save_adapter_as(format, wanted.out, bundle, base);
  return conversion_json(wanted, to, *loaded.adapter);
}

}  // namespace inlay::cli
