// Binary cross entropy of some rows: a score that only means something where there is an object.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// logits and targets (rows, 1), a target being a share from 0 to 1, or below 0 for a row that does
// not count -> (rows, 1): max(x, 0) - x t + log(1 + exp(-|x|)), divided by `normalizer`, and 0 for
// the others.
Variable masked_binary_cross_entropy(OpContext& context, const Variable& logits,
                                     const Tensor& targets, double normalizer);

}  // namespace inlay
