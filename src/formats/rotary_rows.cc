#include "formats/rotary_rows.h"

#include <cstring>

namespace inlay {
namespace {

enum class To { kInterleaved, kHalves };

Tensor reordered(const Tensor& rows, int64_t heads, To to) {
  int64_t count = rows.dim(0), head_dim = count / heads;
  ensure(heads * head_dim == count && head_dim % 2 == 0, "{} rows for {} heads", count, heads);
  std::size_t bytes = rows.byte_count() / static_cast<std::size_t>(count);
  Tensor moved = Tensor::empty(rows.shape(), rows.dtype());
  for (int64_t row = 0; row < count; ++row) {
    // The channel as (half, index) in halves and as (index, half) interleaved.
    int64_t begin = row / head_dim * head_dim, half = row % head_dim / (head_dim / 2),
            index = row % (head_dim / 2), other = begin + 2 * index + half;
    int64_t src = to == To::kInterleaved ? row : other, dst = to == To::kInterleaved ? other : row;
    std::memcpy(moved.mutable_raw() + static_cast<std::size_t>(dst) * bytes,
                rows.raw() + static_cast<std::size_t>(src) * bytes, bytes);
  }
  return moved;
}

}  // namespace

Tensor interleave_rows(const Tensor& rows, int64_t heads) {
  return reordered(rows, heads, To::kInterleaved);
}
Tensor uninterleave_rows(const Tensor& rows, int64_t heads) {
  return reordered(rows, heads, To::kHalves);
}

}  // namespace inlay
