#include "tensor/kernels/norm_square.h"

#include "tensor/kernels/norm_square_reference.h"

namespace inlay::kernels {

double norm_square(Input src, int64_t count) { return norm_square_reference(src, count); }

}  // namespace inlay::kernels
