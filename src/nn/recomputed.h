// Blocks whose inner values are not kept for the backward pass but made again when it arrives (Chen
// et al. 2016, arXiv:1604.06174, section 3): much less memory for one more forward pass.
//
//   for (const Layer& layer : layers_)
//     x = recomputed(context, x, [&](const Variable& x) { return run_layer(context, layer, x); });
#pragma once

#include <functional>

#include "nn/context.h"

namespace inlay {

using Block = std::function<Variable(const Variable& x)>;

// block(x), and with context.recompute nothing of it is kept but x. Values and gradients have the
// same bits either way. The block gives the same whenever it runs, and neither uses nor keeps
// variables but x; what it refers to outlives the backward pass. It runs as it is where nothing is
// recorded, under a tap, and where x has no gradient, so that the first block with something to
// train is kept.
Variable recomputed(Context& context, const Variable& x, const Block& block);

}  // namespace inlay
