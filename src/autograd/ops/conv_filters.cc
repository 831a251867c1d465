#include "autograd/ops/conv_filters.h"

#include <cstring>

#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

// Elements are bytes here: the same bits, elsewhere.
template <std::size_t kSize>
void transpose(const std::byte* src, std::size_t rows, std::size_t columns, std::byte* dst) {
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t r = 0; r < rows; ++r)
      std::memcpy(dst + (c * rows + r) * kSize, src + (r * columns + c) * kSize, kSize);
  }
}

auto transpose_of(DType dtype) {
  switch (dtype_size(dtype)) {
    case 2:
      return transpose<2>;
    case 4:
      return transpose<4>;
    default:
      return transpose<8>;
  }
}

int64_t taps_of(const ConvShape& shape) { return shape.kernel_height * shape.kernel_width; }

}  // namespace

void transpose_filters(const Tensor& src, const FilterMatrices& matrices, const Tensor& dst) {
  const auto& [count, rows, columns] = matrices;
  ensure(src.dtype() == dst.dtype() && src.count() == dst.count() &&
             src.count() == count * rows * columns && dtype_size(src.dtype()) >= 2,
         "{} filters of {} by {} from {} of {} into {} of {}", count, rows, columns,
         dtype_name(src.dtype()), src.shape().text(), dtype_name(dst.dtype()), dst.shape().text());
  auto turn = transpose_of(src.dtype());
  const std::size_t bytes = static_cast<std::size_t>(rows * columns) * dtype_size(src.dtype());
  const auto height = static_cast<std::size_t>(rows), width = static_cast<std::size_t>(columns);
  const std::byte* from = src.raw();
  std::byte* to = dst.mutable_raw();
  kernels::parallel_ranges(count, rows * columns, [&](int64_t first, int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
      turn(from + i * bytes, height, width, to + i * bytes);
  });
}

Tensor patch_filters(const ConvShape& shape, const Tensor& weight,
                     std::pmr::memory_resource* memory) {
  int64_t taps = taps_of(shape), channels = shape.in / shape.groups;
  if (taps == 1) return weight.reshaped({shape.out, channels});
  Tensor filters = Tensor::empty({shape.out, taps * channels}, weight.dtype(), memory);
  transpose_filters(weight, {shape.out, channels, taps}, filters);
  return filters;
}

Tensor tap_filters(const ConvShape& shape, const Tensor& weight,
                   std::pmr::memory_resource* memory) {
  Tensor taps = Tensor::empty({taps_of(shape), shape.in}, weight.dtype(), memory);
  transpose_filters(weight, {1, shape.in, taps_of(shape)}, taps);
  return taps;
}

}  // namespace inlay
