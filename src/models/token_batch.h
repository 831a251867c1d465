// A ragged batch of token sequences, laid end to end with no padding. Most examples are one
// sequence; the choices of a question, the windows of a long context and the texts that are
// compared are several. Images come in batches of one size.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/row_space.h"
#include "models/pixel_source.h"
#include "tensor/tensor.h"

namespace inlay {

// One text or pair of texts, as a tokenizer gives it, or one image. `types` may be empty for
// families without token types.
struct TokenSequence {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;
  // Places, ascending, of the tokens that the model is asked about (masked LM); empty where it is
  // asked about all or about the text as a whole.
  std::vector<int32_t> asked;
  // Of an image, which has no ids.
  std::shared_ptr<const PixelSource> pixels = nullptr;

  // An image counts as the patches of 16 x 16 pixels that cover it.
  int64_t token_count() const;
};

struct TokenBatch {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;
  std::vector<int32_t> positions;  // of each token, as the position table counts
  Tensor pixels;                   // (places of all images, 3), F32; undefined for texts
  RowSpace tokens;                 // one row per token, or per place of the images' maps
  RowSpace examples;               // one row per sequence, for what follows pooling
  std::vector<int64_t> asked;      // rows of `tokens` that are asked about, ascending
  RowSpace asked_tokens;           // one row per asked token

  int64_t example_count() const { return tokens.examples(); }
};

struct BatchPlace {
  int64_t first = 0;  // the first example's place in the effective batch, a multiple of chunk
  int64_t chunk = 1;  // examples whose gradients are summed before the tree: 1 for adapters, 4 for
                      // full training
  int64_t first_position = 0;  // where the model's position table begins to count (BaseFacts)
  std::span<const int64_t> sequences = {};  // of each example; empty: one each
  int64_t first_sequence = 0;  // the first sequence's place, where there are several per example
  bool reads_pixels = true;    // false: an image is one row of `tokens`, and has no pixels
};

// Reads the pixels of images, several at a time; the first that cannot be read is reported.
TokenBatch make_token_batch(std::span<const TokenSequence* const> sequences,
                            const BatchPlace& place);

}  // namespace inlay
