// A GGUF file of a model as a base: its tensors under Hugging Face's names and in their layout, and
// the configuration that its metadata say. What llama.cpp's converter changes on the way is changed
// back (convert_hf_to_gguf.py, modify_tensors):
//
//   llama        rows of q and k interleaved for its rotary positions (formats/rotary_rows.h)
//   gemma 1 to 3 1 added to the weights of norms
//   gpt2         linear layers turned to (out, in)
//
// Rows of blocks are moved as they are: nothing is dequantised for it.
#pragma once

#include <filesystem>
#include <memory>

#include "formats/checkpoint_files.h"
#include "formats/gguf.h"
#include "formats/model_config.h"

namespace inlay {

// Whether a base is a file by this ending, ".gguf".
bool is_gguf_file(const std::filesystem::path& model);

// kInput for an architecture that is not supported, an adapter, and one part of several.
std::shared_ptr<const CheckpointFiles> open_gguf_checkpoint(const std::filesystem::path& path);

// What a config.json beside such weights would say. kInput, naming file and key, for metadata that
// are missing or of another type, and for those that ask for what no family here computes.
ModelConfig read_gguf_config(const GgufFile& file);

// config.json of a model folder, or of a GGUF file what read_gguf_config() gives.
ModelConfig read_model_config(const std::filesystem::path& model);

}  // namespace inlay
