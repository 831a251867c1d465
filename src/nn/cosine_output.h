// The output layer of identities (Deng et al. 2019, arXiv:1801.07698, section 3.1): embeddings of
// length 1, and their cosines with a direction for each class.
#pragma once

#include "autograd/op_context.h"

namespace inlay {

// features (rows, d), weight (classes, d) -> (rows, d + classes), in full precision: the features
// at length 1, then their cosines with the rows of the weight. Lengths below 1e-8 count as 1e-8.
Variable cosine_output(OpContext& context, const Variable& features, Parameter& weight);

}  // namespace inlay
