#include "tensor/kernels/patch_geometry.h"

namespace inlay::kernels {
namespace {

int64_t ceil_divide(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

}  // namespace

PatchAxis::Taps PatchAxis::taps_of(int64_t output_place) const {
  const int64_t start = input_of(output_place, 0);
  const int64_t first = start < 0 ? std::min(ceil_divide(-start, dilation), kernel) : 0;
  const int64_t last = start < input ? std::min(ceil_divide(input - start, dilation), kernel) : 0;
  return {first, std::max(first, last)};
}

int64_t PatchAxis::output_of(int64_t input_place, int64_t tap) const {
  const int64_t from_first = input_place + before - tap * dilation;
  if (from_first < 0 || from_first % stride != 0) return -1;
  return from_first / stride < output ? from_first / stride : -1;
}

TapReads::TapReads(const PatchGeometry& geometry, int64_t tap_stride, int64_t place_stride)
    : vertical_(geometry.vertical()),
      horizontal_(geometry.horizontal()),
      tap_stride_(tap_stride),
      place_stride_(place_stride),
      reads_(static_cast<std::size_t>(geometry.taps())) {}

std::span<const TapRead> TapReads::of_output(int64_t place) {
  const int64_t y = place / horizontal_.output, x = place % horizontal_.output;
  const PatchAxis::Taps lines = vertical_.taps_of(y), columns = horizontal_.taps_of(x);
  std::size_t count = 0;
  for (int64_t i = lines.first; i < lines.last; ++i) {
    const int64_t line = vertical_.input_of(y, i) * horizontal_.input;
    for (int64_t j = columns.first; j < columns.last; ++j) {
      reads_[count++] = {(i * horizontal_.kernel + j) * tap_stride_,
                         (line + horizontal_.input_of(x, j)) * place_stride_};
    }
  }
  return {reads_.data(), count};
}

std::span<const TapRead> TapReads::of_input(int64_t place) {
  const int64_t y = place / horizontal_.input, x = place % horizontal_.input;
  std::size_t count = 0;
  for (int64_t i = 0; i < vertical_.kernel; ++i) {
    const int64_t line = vertical_.output_of(y, i);
    if (line < 0) continue;
    for (int64_t j = 0; j < horizontal_.kernel; ++j) {
      const int64_t column = horizontal_.output_of(x, j);
      if (column < 0) continue;
      reads_[count++] = {(i * horizontal_.kernel + j) * tap_stride_,
                         (line * horizontal_.output + column) * place_stride_};
    }
  }
  return {reads_.data(), count};
}

}  // namespace inlay::kernels
