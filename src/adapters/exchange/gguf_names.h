// The names that llama.cpp has for a base's architecture and its linear layers.
//
//   gguf_architecture("mistral")                                   "llama"
//   gguf_tensor("mistral", "model.layers.0.self_attn.q_proj")      "blk.0.attn_q.weight"
#pragma once

#include <optional>
#include <string>

namespace inlay::exchange {

// By config.json's model_type: kUsage without one, kInput naming the known ones for any other.
std::string gguf_architecture(const std::string& model_type);

// The tensor of a module; nothing where adapters have no place for it: outside the layers, and in a
// layer what the architecture names otherwise or has not.
std::optional<std::string> gguf_tensor(const std::string& model_type, const std::string& module);

}  // namespace inlay::exchange
