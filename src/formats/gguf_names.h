// The names that llama.cpp has for a base's architecture and its tensors (gguf-py's constants.py
// and tensor_mapping.py).
//
//   gguf_architecture("mistral")                                   "llama"
//   gguf_tensor("mistral", "model.layers.0.self_attn.q_proj")      "blk.0.attn_q.weight"
//   gguf_name("llama", "model.layers.0.input_layernorm.weight")    "blk.0.attn_norm.weight"
//   hugging_face_name("llama", "blk.0.attn_norm.weight")           and back
#pragma once

#include <optional>
#include <string>

namespace inlay {

// By config.json's model_type: kUsage without one, kInput naming the known ones for any other.
std::string gguf_architecture(const std::string& model_type);
// The model_type by which a file of this architecture is read; kInput naming the known ones, after
// `where`, for any other.
std::string gguf_model_type(const std::string& architecture, const std::string& where);

// The tensor of a linear layer's module; nothing where adapters have no place for it: outside the
// layers, and in a layer what the architecture names otherwise or has not.
std::optional<std::string> gguf_tensor(const std::string& model_type, const std::string& module);

// Of any tensor, as it is called in a model with a head; nothing for one that the other side does
// not have.
std::optional<std::string> gguf_name(const std::string& model_type, const std::string& tensor);
std::optional<std::string> hugging_face_name(const std::string& model_type,
                                             const std::string& tensor);

}  // namespace inlay
