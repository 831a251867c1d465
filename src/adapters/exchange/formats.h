// The file formats of LoRA adapters that convert.h goes between. Each reader takes a folder
// and its parsed adapter_config.json and fails (kInput) on anything it does not fully understand;
// each writer fails on what its format cannot hold, and says what to do.
#pragma once

#include <filesystem>
#include <string>

#include "adapters/exchange/base_shape.h"
#include "adapters/exchange/lora_adapter.h"
#include "adapters/exchange/lora_terms.h"
#include "adapters/exchange/tensor_pile.h"
#include "base/json.h"

namespace inlay::exchange {

struct Source {
  std::filesystem::path folder;
  Json config;
  std::string where;  // of the configuration, for messages
  BaseShape base;
};

struct Target {
  std::filesystem::path folder;
  BaseShape base;
  std::string name;  // AdapterHub's name of the adapter
  Rounding rounding = Rounding::kRefuse;
};

// adapter_model.safetensors or .bin; also DoRA, rsLoRA, patterns, lora_bias, modules_to_save.
LoraAdapter read_peft(const Source& source);
void write_peft(LoraAdapter& adapter, const Target& target);

// adapter.safetensors or pytorch_adapter.bin; both are written.
LoraAdapter read_adapterhub(const Source& source);
void write_adapterhub(LoraAdapter& adapter, const Target& target);

// mlx-lm: adapters.safetensors; A and B are transposed.
LoraAdapter read_mlx(const Source& source);
void write_mlx(LoraAdapter& adapter, const Target& target);

// torchtune: adapter_model.pt, or .safetensors when read; rows of q and k are reordered.
LoraAdapter read_torchtune(const Source& source);
void write_torchtune(LoraAdapter& adapter, const Target& target);
// By its tensors, since its configuration looks like PEFT's.
bool is_torchtune(const TensorPile& pile);

// llama.cpp: adapter.gguf, which is written only; rows of q and k are reordered for llama.
inline constexpr const char* kGgufFile = "adapter.gguf";
void write_gguf_lora(LoraAdapter& adapter, const Target& target);

// The tensors of a folder that is PEFT's or torchtune's.
TensorPile open_peft_or_torchtune(const std::filesystem::path& folder);

// As Python's json.dumps(indent=2, sort_keys=True).
void write_config(const std::filesystem::path& folder, const Json& config);

// kInput with what to do when the adapter has what the format has no place for.
void refuse_head(const LoraAdapter& adapter, const std::string& format);
void refuse_lora_bias(const LoraAdapter& adapter, const std::string& format);

// kInput unless the base is known to have no biases, which AdapterHub's DoRA would rescale.
void refuse_biases(std::optional<bool> biases, const std::string& where);

// What every reader ends with: modules sorted and their tensors checked, prefix and bareness found.
void finish_reading(LoraAdapter& adapter, const std::string& where);

}  // namespace inlay::exchange
