// Dropout, Srivastava et al. 2014, with a mask that is a function of (seed, stream, step, example,
// token, channel).
#pragma once

#include <string_view>

#include "autograd/op_context.h"

namespace inlay {

// x itself outside training or for probability 0. `stream` names the random numbers: one name per
// place of use.
Variable dropout(OpContext& context, const Variable& x, double probability,
                 std::string_view stream);

}  // namespace inlay
