#include "adapters/exchange/rotary_rows.h"

#include <cstring>

namespace inlay::exchange {
namespace {

enum class To { kTorchtune, kHuggingFace };

Tensor reordered(const Tensor& rows, int64_t heads, To to) {
  int64_t count = rows.dim(0), head_dim = count / heads;
  ensure(heads * head_dim == count && head_dim % 2 == 0, "{} rows for {} heads", count, heads);
  std::size_t bytes = rows.byte_count() / static_cast<std::size_t>(count);
  Tensor moved = Tensor::empty(rows.shape(), rows.dtype());
  for (int64_t row = 0; row < count; ++row) {
    // The channel as (half, index) at Hugging Face and as (index, half) at torchtune.
    int64_t begin = row / head_dim * head_dim, half = row % head_dim / (head_dim / 2),
            index = row % (head_dim / 2), other = begin + 2 * index + half;
    int64_t src = to == To::kTorchtune ? row : other, dst = to == To::kTorchtune ? other : row;
    std::memcpy(moved.mutable_raw() + static_cast<std::size_t>(dst) * bytes,
                rows.raw() + static_cast<std::size_t>(src) * bytes, bytes);
  }
  return moved;
}

}  // namespace

Tensor interleave_rows(const Tensor& rows, int64_t heads) {
  return reordered(rows, heads, To::kTorchtune);
}
Tensor uninterleave_rows(const Tensor& rows, int64_t heads) {
  return reordered(rows, heads, To::kHuggingFace);
}

}  // namespace inlay::exchange
