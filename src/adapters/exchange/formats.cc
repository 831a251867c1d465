#include "adapters/exchange/formats.h"

#include <algorithm>

#include "adapters/adapter_record.h"
#include "adapters/exchange/module_names.h"
#include "base/files.h"

namespace inlay::exchange {

TensorPile open_peft_or_torchtune(const std::filesystem::path& folder) {
  return TensorPile::open_first(
      folder, {"adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt"});
}

void write_config(const std::filesystem::path& folder, const Json& config) {
  write_file_atomically(folder / "adapter_config.json", config.dump(2, ' ', true));
}

void refuse_head(const LoraAdapter& adapter, const std::string& format) {
  std::vector<std::string> names;
  names.reserve(adapter.head.size());
  for (const NamedTensor& tensor : adapter.head) names.push_back(tensor.name);
  require(names.empty(), ErrorKind::kInput,
          "{} has no place for the trained modules beside the adapter: {}. --without-head converts "
          "the adapter alone",
          format, listed(names));
}

void refuse_lora_bias(const LoraAdapter& adapter, const std::string& format) {
  std::vector<std::string> names;
  for (const LoraModule& module : adapter.modules) {
    if (module.bias.defined()) names.push_back(module.name);
  }
  require(names.empty(), ErrorKind::kInput,
          "{} has no place for lora_bias, which {} have: merge the adapter into its base, or train "
          "without",
          format, listed(names));
}

void refuse_biases(std::optional<bool> biases, const std::string& where) {
  require(
      biases.has_value() && !*biases, ErrorKind::kInput,
      "{}: DoRA in AdapterHub also rescales the base's bias, which DoRA elsewhere does not; {}",
      where,
      biases.has_value()
          ? "this base has biases"
          : "say by --model with the base's config.json (of llama or mistral) that it has none");
}

void finish_reading(LoraAdapter& adapter, const std::string& where) {
  std::sort(adapter.modules.begin(), adapter.modules.end(),
            [](const LoraModule& x, const LoraModule& y) { return x.name < y.name; });
  check_modules(adapter, where);
  std::string known = base_prefix(adapter.model_type);
  std::vector<LoraModule>& modules = adapter.modules;
  for (const LoraModule& module : modules) {
    if (adapter.prefix.empty() && layer_of(module.name).has_value())
      adapter.prefix = known.empty() ? prefix_in(module.name) : known;
  }
  bool any = std::any_of(modules.begin(), modules.end(), [&](const LoraModule& module) {
    return !adapter.prefix.empty() && module.name.starts_with(adapter.prefix);
  });
  if (any) return;
  adapter.bare = true;
  for (LoraModule& module : modules) module.name = adapter.prefix + module.name;
}

}  // namespace inlay::exchange
