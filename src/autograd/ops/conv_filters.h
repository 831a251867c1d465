// The orders in which a convolution's filters are read. Files have them as (out, in / groups,
// taps); the products of patches want (out, taps, in / groups), the depthwise kernel (taps,
// channels).
#pragma once

#include "autograd/ops/conv.h"

namespace inlay {

// dst[i] = src[i]^T for `count` matrices (rows, columns) of one type of 2, 4 or 8 bytes. Parallel.
struct FilterMatrices {
  int64_t count, rows, columns;
};
void transpose_filters(const Tensor& src, const FilterMatrices& matrices, const Tensor& dst);

// A weight of shape.weight_shape() as (out, kernel_height * kernel_width * in / groups), a group
// after the other; it shares the bytes where the order is the same.
Tensor patch_filters(const ConvShape& shape, const Tensor& weight,
                     std::pmr::memory_resource* memory);

// Of a convolution with a group for each channel that it gives: as (kernel_height * kernel_width,
// in).
Tensor tap_filters(const ConvShape& shape, const Tensor& weight, std::pmr::memory_resource* memory);

}  // namespace inlay
