// llama.cpp's LoRA (convert_lora_to_gguf.py, src/llama-adapter.cpp), which is written only.
//
//   general.type "adapter"   general.architecture the base's   adapter.type "lora"
//   adapter.lora.alpha       f32, one for all modules
//   blk.N.attn_q.weight.lora_a (r, in)   .lora_b (out, r)      F32
//
// y += alpha / r (B A) x with the rank of each module; alpha 0 would count as no alpha. Sizes are
// written innermost first, so that the bytes are those of PEFT. The llama architecture has its
// rotary positions interleaved: rows of lora_b in q and k follow (formats/rotary_rows.h).
#include <cmath>

#include "adapters/adapter_record.h"
#include "adapters/exchange/formats.h"
#include "adapters/exchange/rotary_heads.h"
#include "formats/gguf.h"
#include "formats/gguf_names.h"
#include "formats/rotary_rows.h"

namespace inlay::exchange {
namespace {

constexpr const char* kGguf = "GGUF";

void refuse_dora(const LoraAdapter& adapter) {
  require(
      !adapter.dora(), ErrorKind::kInput,
      "{} has no place for DoRA's magnitudes, which {} has: merge the adapter into its base, or "
      "train without",
      kGguf, adapter.modules.front().name);
}

// Float32 holds the other floating types exactly.
void refuse_doubles(const LoraAdapter& adapter) {
  std::vector<std::string> names;
  for (const LoraModule& module : adapter.modules) {
    if (module.a.dtype() == DType::kF64 || module.b.dtype() == DType::kF64)
      names.push_back(module.name);
  }
  require(names.empty(), ErrorKind::kInput,
          "{} keeps adapters as float32, and these have float64: {}; save them as float32", kGguf,
          listed(names));
}

void check_names(const LoraAdapter& adapter, const std::string& model_type) {
  std::vector<std::string> names;
  for (const LoraModule& module : adapter.modules) {
    if (!gguf_tensor(model_type, module.name).has_value()) names.push_back(module.name);
  }
  require(names.empty(), ErrorKind::kInput,
          "{} of architecture {} has no place for an adapter of: {}", kGguf,
          gguf_architecture(model_type), listed(names));
}

// Makes alpha / rank every module's scale, and says how far the file's float32 is off.
float fold_into_alpha(LoraAdapter& adapter, Rounding rounding) {
  const double usual = usual_alpha(adapter), alpha = usual == 0 ? 1 : usual;
  fold_alphas(adapter, alpha, rounding, kGguf);
  const auto stored = static_cast<float>(alpha);
  require(std::isnormal(stored), ErrorKind::kInput, "{} keeps alpha as float32, which {} is not",
          kGguf, alpha);
  if (stored != alpha) {
    adapter.notes.push_back(
        fmt::format("{} keeps alpha as float32: {} for {}, relative error {:.1e}", kGguf, stored,
                    alpha, std::fabs(stored / alpha - 1)));
  }
  return stored;
}

GgufMetadata metadata_of(const LoraAdapter& adapter, const std::string& model_type, float alpha,
                         const std::string& name) {
  auto text = [](const std::string& value) { return GgufValue::of(value); };
  GgufMetadata metadata;
  metadata.set("general.architecture", text(gguf_architecture(model_type)));
  metadata.set("general.type", text("adapter"));
  metadata.set("adapter.type", text("lora"));
  metadata.set("adapter.lora.alpha", GgufValue::of(alpha));
  metadata.set("general.name", text(name));
  if (!adapter.base_name.empty()) {
    metadata.set("general.base_model.count", GgufValue::of(uint32_t{1}));
    metadata.set("general.base_model.0.name", text(adapter.base_name));
  }
  if (!adapter.record.is_null())
    metadata.set(std::string(kRecordKey) + ".record", text(canonical_json(adapter.record)));
  return metadata;
}

}  // namespace

void write_gguf_lora(LoraAdapter& adapter, const Target& target) {
  const std::string& model_type =
      adapter.model_type.empty() ? target.base.model_type : adapter.model_type;
  const bool interleaved = gguf_architecture(model_type) == "llama";
  refuse_head(adapter, kGguf);
  refuse_lora_bias(adapter, kGguf);
  refuse_dora(adapter);
  refuse_doubles(adapter);
  check_names(adapter, model_type);
  const float alpha = fold_into_alpha(adapter, target.rounding);

  std::vector<NamedGgufTensor> tensors;
  tensors.reserve(2 * adapter.modules.size());
  for (const LoraModule& module : adapter.modules) {
    const std::string tensor = *gguf_tensor(model_type, module.name);
    Tensor b = module.b.to(DType::kF32);
    if (interleaved && is_rotary(module))
      b = interleave_rows(b, rotary_heads(module, target.base, kGguf));
    tensors.push_back({tensor + ".lora_a", module.a.to(DType::kF32)});
    tensors.push_back({tensor + ".lora_b", b});
  }
  write_gguf(target.folder / kGgufFile, metadata_of(adapter, model_type, alpha, target.name),
             tensors);
}

}  // namespace inlay::exchange
