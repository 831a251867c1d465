// torchtune's LoRA and DoRA (torchtune/modules/peft, torchtune/models/convert_weights.py).
//
//   layers.N.attn.q_proj.lora_a.weight (r, in)   .lora_b.weight (out, r)   .magnitude (out)
//
// In q_proj and k_proj the rows of lora_b and of the magnitude are in the order of interleaved
// rotary embeddings (formats/rotary_rows.h). torchtune's own export to PEFT reorders lora_b only.
#include <set>

#include "adapters/adapter_record.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/module_names.h"
#include "adapters/exchange/rotary_heads.h"
#include "adapters/foreign_keys.h"
#include "formats/rotary_rows.h"
#include "formats/torch_zip.h"

namespace inlay::exchange {
namespace {

constexpr const char* kTorchtuneLora = "torchtune's LoRA";
constexpr const char *kA = ".lora_a.weight", *kB = ".lora_b.weight", *kMagnitude = ".magnitude";

// The heads whose rows are interleaved; 0 for a module whose rows are not.
int64_t interleaved_heads(const LoraModule& module, const BaseShape& base) {
  // qwen2 keeps halves in torchtune.
  if (!is_rotary(module) || base.model_type == "qwen2") return 0;
  bool known =
      base.model_type.empty() || base.model_type == "llama" || base.model_type == "mistral";
  require(known, ErrorKind::kInput,
          "the order of rows of {} in torchtune is known for llama, mistral and qwen2, not for {}",
          module.name, base.model_type);
  return rotary_heads(module, base, "torchtune");
}

template <class Reorder>
void reorder_rows(LoraModule& module, const BaseShape& base, Reorder reorder) {
  int64_t heads = interleaved_heads(module, base);
  if (heads == 0) return;
  module.b = reorder(module.b, heads);
  if (module.magnitude.defined()) module.magnitude = reorder(module.magnitude, heads);
}

const std::vector<ForeignKey>& lora_keys() {
  using enum ForeignKey::Meaning;
  static const std::vector<ForeignKey> keys = {{"base_model_name_or_path", nullptr, kRead},
                                               {"bias", "none", kFixed},
                                               {kRecordKey, nullptr, kRead},
                                               {"lora_alpha", 8, kRead},
                                               {"lora_dropout", 0.0, kRead},
                                               {"peft_type", "LORA", kFixed},
                                               {"r", 8, kRead},
                                               {"target_modules", nullptr, kRead},
                                               {"use_dora", false, kRead}};
  return keys;
}

// Names within torchtune or, as its checkpoints have them, within Hugging Face's model; empty for
// what is neither.
Json targets_of(const LoraAdapter& adapter) {
  std::set<std::string> last;
  for (const LoraModule& module : adapter.modules)
    last.insert(module.name.substr(module.name.rfind('.') + 1));
  return last;
}

void check_targets(const LoraAdapter& adapter, const Json& config, const std::string& where) {
  Json targets = config.value("target_modules", Json());
  if (targets.is_null()) return;
  require(targets.is_array(), ErrorKind::kInput, "{}: \"target_modules\" is {}; expected a list",
          where, targets.type_name());
  std::set<std::string> present, named;
  for (const LoraModule& module : adapter.modules)
    present.insert(module.name.substr(module.name.rfind('.') + 1));
  for (const Json& target : targets) {
    require(target.is_string(), ErrorKind::kInput, "{}: a target is {}; expected a name", where,
            target.type_name());
    named.insert(hugging_face_part(target.get<std::string>()));
  }
  require(named == present, ErrorKind::kInput,
          "{}: \"target_modules\" names {}, but there are tensors of {}", where,
          Json(named).dump(-1, ' ', true), Json(present).dump());
}

}  // namespace

bool is_torchtune(const TensorPile& pile) {
  return !pile.stems(kA).empty() || !pile.stems(kB).empty();
}

LoraAdapter read_torchtune(const Source& source) {
  const std::string& where = source.where;
  check_foreign_keys(source.config, lora_keys(), where);
  auto rank = json_get<int64_t>(source.config, "r", where);
  require(rank > 0, ErrorKind::kInput, "{}: \"r\" is {}; expected 1 or more", where, rank);
  double scale = json_get<double>(source.config, "lora_alpha", where) / static_cast<double>(rank);
  LoraAdapter adapter;
  adapter.base_name = json_get_or<std::string>(source.config, "base_model_name_or_path", "", where);
  adapter.model_type = source.base.model_type;
  adapter.dropout = json_get_or<double>(source.config, "lora_dropout", 0, where);
  if (source.config.contains(kRecordKey)) adapter.record = source.config.at(kRecordKey);

  TensorPile pile = open_peft_or_torchtune(source.folder);
  std::set<std::string> stems = pile.stems(kA);
  stems.merge(pile.stems(kB));
  for (const std::string& stem : stems) {
    adapter.modules.push_back({.name = from_torchtune(stem, pile.where()),
                               .a = pile.take(stem + kA),
                               .b = pile.take(stem + kB),
                               .scale = scale,
                               .magnitude = pile.take_if_any(stem + kMagnitude)});
  }
  pile.finish(kTorchtuneLora);
  finish_reading(adapter, pile.where());
  for (LoraModule& module : adapter.modules) {
    require(module.rank() == rank, ErrorKind::kInput, "{}: \"r\" is {}, but {} has rank {}", where,
            rank, module.name, module.rank());
    reorder_rows(module, source.base, uninterleave_rows);
  }
  auto dora = json_get_or<bool>(source.config, "use_dora", adapter.dora(), where);
  require(dora == adapter.dora(), ErrorKind::kInput, "{}: \"use_dora\" is {}, but {} magnitudes",
          where, dora, adapter.dora() ? "there are" : "there are no");
  check_targets(adapter, source.config, where);
  check_complete(adapter.modules, {}, pile.where());
  return adapter;
}

void write_torchtune(LoraAdapter& adapter, const Target& target) {
  refuse_head(adapter, kTorchtuneLora);
  refuse_lora_bias(adapter, kTorchtuneLora);
  for (const LoraModule& module : adapter.modules) to_torchtune(module.name, kTorchtuneLora);
  fold_scales(adapter, usual_scale(adapter), target.rounding, kTorchtuneLora);
  pad_ranks(adapter);
  int64_t last = std::max(layer_range(adapter).second, target.base.layers - 1);
  fill_layers(adapter, 0, last, kTorchtuneLora);

  std::vector<NamedTensor> tensors;
  tensors.reserve(3 * adapter.modules.size());
  for (LoraModule module : adapter.modules) {
    reorder_rows(module, target.base, interleave_rows);
    std::string stem = to_torchtune(module.name, kTorchtuneLora);
    tensors.push_back({stem + kA, module.a});
    tensors.push_back({stem + kB, module.b});
    if (module.magnitude.defined()) tensors.push_back({stem + kMagnitude, module.magnitude});
  }
  write_torch(target.folder / "adapter_model.pt", tensors);
  int64_t rank = *adapter.common_rank();
  Json config{{"peft_type", "LORA"},
              {"r", rank},
              {"lora_alpha", plain_number(alpha_for(*adapter.common_scale(), rank))},
              {"lora_dropout", adapter.dropout},
              {"use_dora", adapter.dora()},
              {"base_model_name_or_path", adapter.base_name},
              {"target_modules", targets_of(adapter)}};
  if (!adapter.record.is_null()) config[kRecordKey] = adapter.record;
  write_config(target.folder, config);
}

}  // namespace inlay::exchange
