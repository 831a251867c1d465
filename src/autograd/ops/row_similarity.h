// How alike two rows of one variable are: what embeddings are trained and judged by.
//
//   Variable cosines = row_similarity(context, embeddings, Similarity::kCosine, pairs, &rows);
#pragma once

#include <utility>
#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// Larger is more alike: the cosine, or the negated Euclidean distance.
enum class Similarity { kCosine, kEuclidean };

using RowPairs = std::vector<std::pair<int64_t, int64_t>>;

// x (rows, channels) -> (pairs, 1), in the space `rows`. Lengths below 1e-8 count as 1e-8 in a
// cosine, as in PyTorch; the distance of two equal rows has a gradient of 0. `pairs` must outlive
// the backward pass.
Variable row_similarity(OpContext& context, const Variable& x, Similarity kind,
                        const RowPairs& pairs, const RowSpace* rows);

}  // namespace inlay
