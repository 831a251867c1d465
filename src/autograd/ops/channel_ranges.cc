#include "autograd/ops/channel_ranges.h"

#include <cstring>

#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

// Channels of a row-wise tensor.
struct Range {
  const Tensor& tensor;
  int64_t first;
};

// dst[:, first : first + count] = src[:, first : first + count], each with its own first.
void copy_channels(const Range& src, const Range& dst, int64_t count) {
  auto size = static_cast<int64_t>(dtype_size(src.tensor.dtype()));
  const auto* read = reinterpret_cast<const char*>(src.tensor.raw()) + src.first * size;
  auto* write = reinterpret_cast<char*>(dst.tensor.mutable_raw()) + dst.first * size;
  int64_t src_stride = src.tensor.dim(1) * size, dst_stride = dst.tensor.dim(1) * size;
  auto bytes = static_cast<std::size_t>(count * size);
  kernels::parallel_ranges(src.tensor.dim(0), count, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row)
      std::memcpy(write + row * dst_stride, read + row * src_stride, bytes);
  });
}

Tensor sliced(const Tape& tape, const Tensor& x, int64_t first, int64_t count) {
  Tensor y = tape.empty_rows({x.dim(0), count}, x.dtype());
  copy_channels({x, first}, {y, 0}, count);
  return y;
}

}  // namespace

Variable slice_channels(OpContext& context, const Variable& x, int64_t first, int64_t count) {
  int64_t channels = x.channels();
  ensure(first >= 0 && count >= 0 && first + count <= channels, "channels {} to {} of {}", first,
         first + count, channels);
  return context.tape.record(
      sliced(context.tape, x.value(), first, count), x.row_space(), x.requires_grad(),
      [first, count, channels, slot = x.slot()](Tape& tape, const Tensor& grad_y) {
        Tensor grad = tape.empty_rows({grad_y.dim(0), channels}, grad_y.dtype());
        std::memset(grad.mutable_raw(), 0, grad.byte_count());
        copy_channels({grad_y, 0}, {grad, first}, count);
        tape.accumulate(slot, std::move(grad));
      });
}

Variable join_channels(OpContext& context, const Variable& left, const Variable& right) {
  ensure(left.rows() == right.rows() && left.dtype() == right.dtype(), "{} {} joined with {} {}",
         left.shape().text(), dtype_name(left.dtype()), right.shape().text(),
         dtype_name(right.dtype()));
  int64_t own = left.channels(), other = right.channels();
  Tensor y = context.tape.empty_rows({left.rows(), own + other}, left.dtype());
  copy_channels({left.value(), 0}, {y, 0}, own);
  copy_channels({right.value(), 0}, {y, own}, other);
  return context.tape.record(std::move(y), left.row_space(),
                             left.requires_grad() || right.requires_grad(),
                             [own, other, left_slot = left.slot(), right_slot = right.slot()](
                                 Tape& tape, const Tensor& grad_y) {
                               if (left_slot != nullptr)
                                 tape.accumulate(left_slot, sliced(tape, grad_y, 0, own));
                               if (right_slot != nullptr)
                                 tape.accumulate(right_slot, sliced(tape, grad_y, own, other));
                             });
}

}  // namespace inlay
