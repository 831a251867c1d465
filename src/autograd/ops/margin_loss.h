// The triplet loss: what goes together must be more alike than what does not, by a margin.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// x (2 T, 1): row 2 t is the similarity of triplet t's anchor to its positive, row 2 t + 1 to its
// negative -> (T, 1), in the space `triplets`: max(0, x_negative - x_positive + margin) /
// normalizer (Schroff et al. 2015, eq. 2, over similarities).
Variable margin_loss(OpContext& context, const Variable& x, double margin, double normalizer,
                     const RowSpace* triplets);

}  // namespace inlay
