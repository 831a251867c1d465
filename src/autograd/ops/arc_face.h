// The additive angular margin: what is of one class must lie closer to its direction than to the
// others' by an angle.
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// cosines (rows, classes), the class of each row or kIgnoredLabel (losses.h) -> (rows, 1): the
// cross entropy over s cos(theta + m) for the row's own class and s cos(theta) for the others
// (Deng et al. 2019, arXiv:1801.07698, eq. 3), divided by `normalizer`. Where theta + m is beyond
// pi, where the cosine would rise again, cos(theta) - m sin(m) stands in for it. `classes` must
// outlive the backward pass.
Variable arc_face_loss(OpContext& context, const Variable& cosines,
                       const std::vector<int32_t>& classes, double scale, double margin,
                       double normalizer);

}  // namespace inlay
