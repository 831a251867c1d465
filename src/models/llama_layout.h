// What the configurations and files of Llama's line have in common: Llama, Mistral, Qwen, Gemma and
// Phi-3 name their modules alike and say their sizes with the same keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/pre_norm_decoder.h"
#include "nn/base_facts.h"

namespace inlay {

// "layers.{}.self_attn.q_proj" and so on, with two norms per layer.
DecoderNames llama_names();

// The facts of a base of this class, "LlamaModel", whose heads are those of its line.
void describe_llama(const ModelConfig& config, const std::string& bare_class, BaseFacts& facts);

// Sizes, norms, rotary positions and activation; biases, windows and caps are the family's own.
DecoderSizes llama_sizes(const ModelConfig& config, const BaseFacts& facts,
                         const RotaryFrequencies& rotation, int64_t head_dim);

// Whether config.json's model_type is this one.
bool is_type(const ModelConfig& config, std::string_view type);

// Tokens that a layer looks back, "sliding_window", where it says so; 0 is all of them.
int64_t window_of(const ModelConfig& config, int64_t fallback);

// Of layer_windows(): all layers slide.
bool every_layer(int64_t layer, int64_t pattern);

// Channels of a head: "head_dim", or `fallback`, or the hidden size shared by the heads.
int64_t head_channels(const ModelConfig& config, int64_t fallback = 0);

// Which layers look back "sliding_window" tokens alone: those that layer_types calls
// "sliding_attention", or, without that key, those of `slides`. A window of 0 is no window.
std::vector<int64_t> layer_windows(const ModelConfig& config, const BaseFacts& facts,
                                   int64_t window, bool (*slides)(int64_t layer, int64_t pattern),
                                   int64_t pattern = 0);

}  // namespace inlay
