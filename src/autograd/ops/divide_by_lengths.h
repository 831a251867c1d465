// Products with the rows of a trainable matrix, made products with those rows at length 1.
//
//   Variable products = linear(context, x, {.weight = &weight}, Precision::kFull);
//   Variable cosines = divide_by_lengths(context, products, weight);  // where |x| = 1
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// x (rows, count), weight (count, channels) -> x_c / |w_c|, in full precision; lengths below 1e-8
// count as 1e-8.
Variable divide_by_lengths(OpContext& context, const Variable& x, Parameter& weight);

}  // namespace inlay
