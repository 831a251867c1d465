#include "tensor/transposed.h"

#include <cstring>

namespace inlay {
namespace {

// Elements are bytes here: the same bits, elsewhere.
template <std::size_t kSize>
void turn(const std::byte* src, std::size_t rows, std::size_t columns, std::byte* dst) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c)
      std::memcpy(dst + (c * rows + r) * kSize, src + (r * columns + c) * kSize, kSize);
  }
}

auto turn_of(DType dtype) {
  switch (dtype_size(dtype)) {
    case 1:
      return turn<1>;
    case 2:
      return turn<2>;
    case 4:
      return turn<4>;
    default:
      return turn<8>;
  }
}

}  // namespace

Tensor transposed(const Tensor& matrix) {
  ensure(matrix.shape().rank() == 2, "a matrix to turn, of shape {}", matrix.shape().text());
  Tensor turned = Tensor::empty({matrix.dim(1), matrix.dim(0)}, matrix.dtype());
  turn_of(matrix.dtype())(matrix.raw(), static_cast<std::size_t>(matrix.dim(0)),
                          static_cast<std::size_t>(matrix.dim(1)), turned.mutable_raw());
  return turned;
}

}  // namespace inlay
