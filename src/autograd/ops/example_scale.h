// A factor for each example: a gate learned from its tokens, or given numbers.
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// y(t, :) = g x(t, :), with g the mean of sigmoid(score(t)) over the tokens t of the example.
// scores (tokens, 1) live in x's space or in another one of the same examples. UniPELT's gate, Mao
// et al. 2021, arXiv:2110.07577, section 3.3.
Variable mean_gate(OpContext& context, const Variable& x, const Variable& scores);

// y(t, :) = factors[e] x(t, :) for the tokens t of example e of the space.
Variable scale_examples(OpContext& context, const Variable& x, std::vector<double> factors);

}  // namespace inlay
