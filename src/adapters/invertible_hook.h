// Invertible adapters: MAD-X, Pfeiffer et al. 2020, arXiv:2005.00052, section 3.3, with the
// additive coupling of NICE, Dinh et al. 2014, arXiv:1410.8516, eq. (6) and (7). On the halves of
// the embeddings:
//   y1 = x1 + F(x2), y2 = x2 + G(y1)    and back:    x2 = y2 - G(y1), x1 = y1 - F(x2)
// F and G are W_up f(W_down u + b_down) + b_up.
#pragma once

#include <memory>

#include "autograd/ops/activation.h"
#include "nn/site.h"

namespace inlay {

struct CouplingNetwork {
  Parameter &down_weight, &down_bias, &up_weight, &up_bias;
};

// REQUIRES: F reads the last channels - channels / 2 of them and gives the first channels / 2, G
// the other way round.
std::unique_ptr<SiteHook> make_invertible_hook(const CouplingNetwork& f, const CouplingNetwork& g,
                                               Activation activation, int64_t channels);

}  // namespace inlay
