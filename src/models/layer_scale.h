// LayerScale: a factor of its own for each channel of what a block adds to the residual (Touvron et
// al. 2021, arXiv:2103.17239, section 2).
#pragma once

#include <string>

#include "models/site_maker.h"

namespace inlay {

struct LayerScale {
  Site site;
  Tensor factors;  // (channels), F32
};

// The factors are the tensor `name` itself, without a module.
LayerScale make_layer_scale(SiteMaker& make, const std::string& name, int layer, int64_t channels);

// x (rows, channels) in full precision.
Variable scaled(Context& context, const LayerScale& scale, const Variable& x);

}  // namespace inlay
