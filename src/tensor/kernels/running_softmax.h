// The softmax of rows that come in pieces, so that a row over a vocabulary never stands whole
// (Milakov and Gimelshein 2018, arXiv:1805.02867). With m the largest logit so far and s the sum of
// exp(x - m), a piece x gives
//
//   m' = max(m, max_c x_c),   a = exp(m - m'),   e_c = exp(x_c - m'),   s' = a s + sum_c e_c
//
// With a soft cap x is what the cap makes of the logits, and e_c times its slope, 1 - (x_c /
// cap)^2, is what is kept: summed and divided by s it is the gradient of log s.
//
// What was summed with weights e before is brought up to date by a factor of a:
//
//   running_softmax({.rows = t, .classes = n, .logits = x, .weights = e, ...});
//   rescale_and_add(a, product_of_e, sum, t, channels);     sum = a sum + product
#pragma once

#include "tensor/kernels/operand.h"

namespace inlay::kernels {

struct RunningSoftmax {
  int64_t rows = 0;
  int64_t classes = 0;  // of this piece
  Input logits;         // (rows, classes)
  Output weights;       // (rows, classes): e, times slopes; may be where logits are, of their type
  // (rows), f32: before the first piece -inf and 0.
  Output largest, sum;
  Output factor;        // (rows), f32: a; 0 after the first piece
  double soft_cap = 0;  // logits become soft_cap tanh(logit / soft_cap); 0: they stay
};

void running_softmax(const RunningSoftmax& args);

// dst(r, c) = factor(r) dst(r, c) + src(r, c); a factor of 0 gives src whatever dst held.
void rescale_and_add(Input factor, Input src, Output dst, int64_t rows, int64_t columns);

}  // namespace inlay::kernels
