// Rows times a block-diagonal matrix, as rotations of groups of channels are, and the other product
// that small matrices have with rows: seen as matrices themselves, from the left.
//
//   block_product({x, r, rows, count, in, out}, y);    y_i = x_i R_i for each part i of a row
//   left_product({w, z, rows, l, m, k}, y);            Y = W Z for each row Z (m, k)
//
// Rows are f32 or bf16, small matrices and their gradients f32; with f64 rows all is f64. A row's
// result never depends on other rows, nor on the thread count. What is parallel is so over rows;
// gradients are single-threaded, so that chunks can run in parallel, and add in row order.
#pragma once

#include <span>

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

struct BlockProduct {
  Input x;       // (rows, count in)
  Input blocks;  // (count in, out), R_i in rows [i in, i in + in)
  int64_t rows = 0;
  int64_t count = 0;
  int64_t in = 0, out = 0;
};
// dst (rows, count out). Parallel.
void block_product(const BlockProduct& args, Output dst);

// dst (count out, in): R_i^T in place of each R_i, in the blocks' own type.
void transposed_blocks(Input blocks, int64_t count, int64_t in, int64_t out, Output dst);

// dst (count in, out): sums of x_i^T grad_i over rows [first, last).
struct BlockGrad {
  Input x;     // (rows, count in)
  Input grad;  // (rows, count out)
  int64_t count = 0;
  int64_t in = 0, out = 0;
  int64_t first = 0, last = 0;
};
void block_product_grad(const BlockGrad& args, Output dst);

struct LeftProduct {
  Input w;  // (l, m)
  Input z;  // (rows, m k)
  int64_t rows = 0;
  int64_t l = 0, m = 0, k = 0;
};
// dst (rows, l k). Parallel.
void left_product(const LeftProduct& args, Output dst);

// dst (l, m): sums of grad Z^T over rows [first, last).
struct LeftGrad {
  Input z;     // (rows, m k)
  Input grad;  // (rows, l k)
  int64_t l = 0, m = 0, k = 0;
  int64_t first = 0, last = 0;
};
// `scratch` holds as many numbers as z has in these rows; unused in f64.
void left_product_grad(const LeftGrad& args, std::span<float> scratch, Output dst);

}  // namespace inlay::kernels
