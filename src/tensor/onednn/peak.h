// The measured limit that speeds are a share of.
#pragma once

#include "tensor/dtype.h"

namespace inlay::onednn {

// Floating-point operations per second of the best of 20 packed products of 1024 x 768 x 3072 in
// this type, with the present threads. Takes about a third of a second in f32.
double measure_peak(DType compute);

}  // namespace inlay::onednn
