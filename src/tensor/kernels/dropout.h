// Dropout whose mask is a pure function of where an element stands: the same whatever the batch
// split, the padding, the order of examples in memory or the thread count, and recomputed rather
// than stored for backward.
//
//   Dropout args{.rows = t, .channels = c, .example_place = places, .token_position = positions,
//                .key = stream.key(), .step = step, .probability = 0.1};
//   dropout(args, x, y);            // forward
//   dropout(args, grad_y, grad_x);  // backward
//
// Element (t, c) is kept if unit_float(bits) >= probability, where bits is word c % 4 of
// philox4x32({c / 4, token_position[t], example_place[t], step}, key). What is kept is multiplied
// by 1 / (1 - probability).
#pragma once

#include "base/random.h"
#include "tensor/kernels/operand.h"

namespace inlay::kernels {

struct Dropout {
  int64_t rows = 0;
  int64_t channels = 0;                     // C
  const int32_t* example_place = nullptr;   // (rows): the example's place in the effective batch
  const int32_t* token_position = nullptr;  // (rows): the token's place in its example
  PhiloxKey key{};
  uint32_t step = 0;
  double probability = 0;  // of being dropped, in [0, 1)
};

// src, dst: (rows, C). dst may have the address and type of src.
void dropout(const Dropout& args, Input src, Output dst);

}  // namespace inlay::kernels
