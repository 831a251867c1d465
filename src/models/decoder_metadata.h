// A base's configuration as the metadata of a GGUF file: what read_gguf_config()
// (formats/gguf_checkpoint.h) reads, and llama.cpp.
#pragma once

#include <string>
#include <vector>

#include "formats/gguf.h"
#include "models/pre_norm_decoder.h"

namespace inlay {

// Sets "general.architecture" and what is below the architecture's name. The tensors are those that
// stand for rotary positions which the metadata have no words for; kInput where the architecture
// does not read them either.
std::vector<NamedGgufTensor> set_gguf_config(GgufMetadata& metadata, const ModelConfig& config,
                                             const DecoderSizes& sizes);

// What tells two bases apart that are to compute the same, "windows"; empty where nothing does.
// Numbers count as the float32 that files hold.
std::string first_difference(const DecoderSizes& a, const DecoderSizes& b);

}  // namespace inlay
