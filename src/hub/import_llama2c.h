// Makes a Hugging Face folder of a language model in the file format of llama2.c, the small Llamas
// that its training script exports (version 0, float32, little-endian):
//
//   int32   dim, hidden_dim, layers, heads, kv_heads, vocabulary, positions
//           (vocabulary < 0: the output matrix is a tensor of its own, not the embedding)
//   float32 embedding | per kind, all layers one after another: attention norm, wq, wk, wv, wo,
//           FFN norm, w1 (gate), w2 (down), w3 (up) | final norm | two rotary tables, which the
//           formula gives as well | the output matrix, where it is its own
//
// Rotary positions turn neighbouring channels there, so rows of wq and wk are reordered
// (formats/rotary_rows.h). All other values are the same bits in another place.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/json_fwd.h"

namespace inlay {

struct Llama2cImport {
  std::size_t tensors = 0;
  int64_t parameters = 0;
};

// `tokenizer` is the model's tokenizer.json (text::tokenizer_json_from_llama2c). `out` then holds
// config.json, generation_config.json, model.safetensors, tokenizer.json and tokenizer_config.json,
// and appears whole or not at all. kInput naming the field of the header, or both sizes, where
// `checkpoint` is not such a file, or the tokenizer has another number of tokens: all is checked
// before anything is allocated. kUsage when `out` is there already.
Llama2cImport import_llama2c(const std::filesystem::path& checkpoint, const Json& tokenizer,
                             const std::filesystem::path& out);

}  // namespace inlay
