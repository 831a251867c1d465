// The measured limit that speeds are a share of.
#pragma once

#include "tensor/dtype.h"

namespace inlay::onednn {

// Floating-point operations per second of the best of some packed products of 1024 x 768 x 3072 in
// this type, with the present threads. A product takes 10 to 50 milliseconds in f32; with few of
// them other programs make the limit look low.
double measure_peak(DType compute, int products = 20);

}  // namespace inlay::onednn
