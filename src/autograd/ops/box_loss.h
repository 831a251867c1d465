// The loss of boxes that are given by how far their sides are from a place inside of them.
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// distances and wanted (rows, 4): left, top, right and bottom from a place to the sides of its box,
// at least 0, the wanted ones with a width and a height -> (rows, 1): the row's weight times
// 1 - GIoU (Rezatofighi et al. 2019, arXiv:1902.09630, algorithm 1), divided by `normalizer`. A row
// of weight 0 does not count, whatever its numbers are.
Variable giou_loss(OpContext& context, const Variable& distances, const Tensor& wanted,
                   const std::vector<float>& weights, double normalizer);

// e^x, any shape, in x's own type, and e^kMostExponent beyond that. Backward: dx = dy e^x, 0
// beyond.
inline constexpr double kMostExponent = 16;
Variable exponential(OpContext& context, const Variable& x);

}  // namespace inlay
