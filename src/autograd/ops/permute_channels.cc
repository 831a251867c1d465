#include "autograd/ops/permute_channels.h"

#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

// Elements of two, four or eight bytes are moved as they are.
template <class Bits>
void gather(const Tensor& src, const std::vector<int64_t>& from, const Tensor& dst, bool inverse) {
  auto channels = static_cast<int64_t>(from.size());
  const auto* read = reinterpret_cast<const Bits*>(src.raw());
  auto* write = reinterpret_cast<Bits*>(dst.mutable_raw());
  kernels::parallel_ranges(src.dim(0), channels, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      const Bits* src_row = read + row * channels;
      Bits* dst_row = write + row * channels;
      for (int64_t c = 0; c < channels; ++c) {
        int64_t other = from[static_cast<std::size_t>(c)];
        if (inverse) {
          dst_row[other] = src_row[c];
        } else {
          dst_row[c] = src_row[other];
        }
      }
    }
  });
}

Tensor permuted(OpContext& context, const Tensor& src, const std::vector<int64_t>& from,
                bool inverse) {
  Tensor dst = context.tape.empty_rows(src.shape(), src.dtype());
  switch (dtype_size(src.dtype())) {
    case 2:
      gather<uint16_t>(src, from, dst, inverse);
      break;
    case 4:
      gather<uint32_t>(src, from, dst, inverse);
      break;
    default:
      gather<uint64_t>(src, from, dst, inverse);
  }
  return dst;
}

}  // namespace

Variable permute_channels(OpContext& context, const Variable& x, const std::vector<int64_t>& from) {
  ensure(static_cast<int64_t>(from.size()) == x.channels(), "an order of {} for {} channels",
         from.size(), x.channels());
  Tensor y = permuted(context, x.value(), from, false);
  return context.tape.record(std::move(y), x.row_space(), x.requires_grad(),
                             [&context, &from, slot = x.slot()](Tape& tape, const Tensor& grad_y) {
                               tape.accumulate(slot, permuted(context, grad_y, from, true));
                             });
}

}  // namespace inlay
