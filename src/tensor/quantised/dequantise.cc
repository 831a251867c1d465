#include "tensor/quantised/dequantise.h"

#include "base/error.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"
#include "tensor/quantised/int8_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/quantised/dequantise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/quantised/dequantise_blocks-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// Blocks that lie one after another, rows and all.
template <class T, class Block>
HWY_INLINE void each_block(const QuantisedRows& rows, int64_t length, int64_t bytes, T* dst,
                           const Block& block) {
  const int64_t per_row = rows.size.columns / length;
  const std::byte* src = rows.data + rows.first * per_row * bytes;
  const std::byte* end = rows.data + rows.last * per_row * bytes;
  for (; src != end; src += bytes, dst += length) block(src, dst);
}

template <class T>
void nf4_rows(const QuantisedRows& rows, T* dst) {
  const nf4::Layout layout(rows.size);
  const int64_t per_row = rows.size.columns / nf4::kLength;
  for (int64_t b = rows.first * per_row; b < rows.last * per_row; ++b, dst += nf4::kLength) {
    nf4_block(rows.data + b * (nf4::kLength / 2), nf4::magnitude(rows.data, layout, b), dst);
  }
}

template <class T>
void int8_row(const std::byte* src, float scale, int64_t columns, T* dst) {
  const V32 factor = set(scale);
  int64_t c = 0;
  for (; c + 32 <= columns; c += 32) int8_32(src + c, factor, dst + c);
  for (; c < columns; ++c) {
    dst[c] = T(scale * static_cast<float>(static_cast<int8_t>(src[c])));
  }
}

template <class T>
void dequantise_as(BlockFormat format, const QuantisedRows& rows, T* dst) {
  switch (format) {
    case BlockFormat::kQ80:
      return each_block(rows, q8_0::kLength, q8_0::kBytes, dst, q8_0_block<T>);
    case BlockFormat::kQ40:
      return each_block(rows, q4_0::kLength, q4_0::kBytes, dst, q4_0_block<T>);
    case BlockFormat::kQ50:
      return each_block(rows, q5_0::kLength, q5_0::kBytes, dst, q5_0_block<T>);
    case BlockFormat::kQ4K:
      return each_block(rows, q4_k::kLength, q4_k::kBytes, dst, q4_k_block<T>);
    case BlockFormat::kQ5K:
      return each_block(rows, q5_k::kLength, q5_k::kBytes, dst, q5_k_block<T>);
    case BlockFormat::kQ6K:
      return each_block(rows, q6_k::kLength, q6_k::kBytes, dst, q6_k_block<T>);
    case BlockFormat::kNf4:
      return nf4_rows(rows, dst);
    case BlockFormat::kInt8Rows:
      for (int64_t r = rows.first; r < rows.last; ++r, dst += rows.size.columns) {
        int8_row(rows.data + r * rows.size.columns, int8_rows::scale_of(rows, r), rows.size.columns,
                 dst);
      }
  }
}

void dequantise_range(BlockFormat format, const QuantisedRows& rows, const Output& dst,
                      int64_t offset) {
  if (dst.dtype() == DType::kBF16) return dequantise_as(format, rows, dst.as<BFloat16>() + offset);
  dequantise_as(format, rows, dst.as<float>() + offset);
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(dequantise_range);
}  // namespace

void dequantise(BlockFormat format, const QuantisedRows& rows, Output dst) {
  ensure(dst.dtype() == DType::kF32 || dst.dtype() == DType::kBF16, "quantised rows as {}",
         dtype_name(dst.dtype()));
  const int64_t columns = rows.size.columns;
  parallel_ranges(rows.last - rows.first, columns, [&](int64_t first, int64_t last) {
    const QuantisedRows part{rows.data, rows.size, rows.first + first, rows.first + last};
    HWY_DYNAMIC_DISPATCH(dequantise_range)(format, part, dst, first * columns);
  });
}

}  // namespace inlay::kernels
#endif
