// Rows times a matrix of which few elements are not zero, at places that stay while the values
// change.
//
//   SparseOrder order{starts, channels, elements};       // of y = x S^T by outputs, of dx = dy S
//   by inputs sparse_product({x, values, order, rows, in, out}, scratch, y);
//
// Rows are f32 or bf16, values and their gradients f32; with f64 rows all is f64. A row's result
// does not depend on other rows, nor on the thread count.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

// Result channel j is the sum over k in [starts[j], starts[j + 1]) of values[elements[k]] times
// channel channels[k] of what is read.
struct SparseOrder {
  const int32_t* starts = nullptr;  // one more than result channels
  const int32_t* channels = nullptr;
  const int32_t* elements = nullptr;
};

struct SparseProduct {
  Input x;       // (rows, in)
  Input values;  // (elements)
  SparseOrder order;
  int64_t rows = 0;
  int64_t in = 0, out = 0;
};
// dst (rows, out). Parallel over rows.
void sparse_product(const SparseProduct& args, std::span<float> scratch, Output dst);

// dst (elements): sums of grad[row, output] x[row, input] over rows [first, last), in `order`,
// whose result channels are outputs. Single-threaded, so that chunks can run in parallel.
struct SparseGrad {
  Input x;     // (rows, in)
  Input grad;  // (rows, out)
  SparseOrder order;
  int64_t in = 0, out = 0;
  int64_t first = 0, last = 0;
};
void sparse_grad(const SparseGrad& args, std::span<float> scratch, Output dst);

// How many numbers of scratch they use; none in f64. A product's is for all threads.
std::size_t sparse_product_scratch(int64_t in, int64_t out);
std::size_t sparse_grad_scratch(int64_t in, int64_t out, int64_t rows);

}  // namespace inlay::kernels
