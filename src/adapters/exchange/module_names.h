// The names of modules in the libraries that keep LoRA adapters.
//
//   Hugging Face, PEFT, mlx-lm   model.layers.0.self_attn.o_proj     lm_head
//   torchtune                    layers.0.attn.output_proj           output
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace inlay::exchange {

struct LayerPlace {
  std::string list;  // "model.layers"
  int64_t layer = 0;
  std::string rest;  // "self_attn.q_proj"
};
// Where a module stands by the first number of at most four digits in its name; nothing for a
// module outside the layers.
std::optional<LayerPlace> layer_of(const std::string& name);

// What begins the base's names in a model with a head: "bert.", "model."; empty when not known.
std::string base_prefix(const std::string& model_type);
// The prefix that the name itself shows: of one that begins with it, or of decoder layers that lack
// it.
std::string prefix_in(const std::string& name);

// The model type whose base has the prefix; empty when there are several.
std::string model_type_of(const std::string& prefix);

// The last part of a name: "o_proj" for torchtune's "output_proj", and itself for any other.
std::string hugging_face_part(const std::string& part);

// kInput for a name that has no counterpart; `where` names its file.
std::string to_torchtune(const std::string& name, const std::string& where);
std::string from_torchtune(const std::string& name, const std::string& where);

}  // namespace inlay::exchange
