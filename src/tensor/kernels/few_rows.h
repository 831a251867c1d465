// A linear layer over a few rows, by its weight as files store it: nothing is packed and every
// element of the weight is read once, so that it is as fast as memory is. Generation, which adds
// one token at a time, is made of such products.
//
//   few_rows({.rows = 1, .in = 576, .out = 1536, .x = x, .weight = w, .y = y});
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

struct FewRows {
  int64_t rows = 0;
  int64_t in = 0;
  int64_t out = 0;
  bool in_by_out = false;       // the weight is (in, out) instead of (out, in)
  const float* x = nullptr;     // (rows, in)
  Input weight;                 // f32 or bf16
  const float* bias = nullptr;  // (out), or null
  float* y = nullptr;           // (rows, out)
};

// y = x W^T + b. A row's bits depend on that row alone, and are not those of a packed product.
void few_rows(const FewRows& args);

}  // namespace inlay::kernels
