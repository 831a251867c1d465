// The loss of detectors whose places are nearly all background (Lin et al. 2017, "Focal Loss for
// Dense Object Detection", arXiv:1708.02002): what is classified well already counts little.
#pragma once

#include <vector>

#include "autograd/op_context.h"
#include "autograd/ops/losses.h"

namespace inlay {

// logits (rows, classes); `classes` has the class of each row, -1 for background, or kIgnoredLabel
// for a row that does not count -> (rows, 1): the sum over classes of -alpha_t (1 - p_t)^gamma
// log(p_t) (eq. 5), divided by `normalizer`, where p_t is sigmoid(x) and alpha_t alpha for the
// row's own class, 1 - sigmoid(x) and 1 - alpha for the others.
Variable focal_loss(OpContext& context, const Variable& logits, const std::vector<int32_t>& classes,
                    double alpha, double gamma, double normalizer);

}  // namespace inlay
