#include "tensor/quantised/dequantise.h"

#include <algorithm>

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

// Elements [skip, skip + count) of a block.
template <int64_t kLength, class T, class Block>
void partial_block(int64_t number, int64_t skip, int64_t count, const Block& block, T* dst) {
  T whole[kLength];
  block(number, whole);
  std::copy_n(whole + skip, count, dst);
}

// block(number, dst) for the blocks of the part, which are numbered through the rows.
template <int64_t kLength, class T, class Block>
HWY_INLINE void each_block(const QuantisedPart& part, T* dst, const Block& block) {
  const int64_t per_row = part.rows.size.columns / kLength;
  for (int64_t r = part.rows.first; r < part.rows.last; ++r) {
    int64_t c = part.first, number = r * per_row + c / kLength;
    if (const int64_t skip = c % kLength; skip != 0) {
      const int64_t count = std::min(kLength - skip, part.last - c);
      partial_block<kLength>(number++, skip, count, block, dst);
      c += count;
      dst += count;
    }
    for (; c + kLength <= part.last; c += kLength, dst += kLength) block(number++, dst);
    if (c == part.last) continue;
    partial_block<kLength>(number, 0, part.last - c, block, dst);
    dst += part.last - c;
  }
}

// Blocks of kBytes that lie one after another, rows and all.
template <int64_t kLength, int64_t kBytes, class T, class Block>
HWY_INLINE void each_stored_block(const QuantisedPart& part, T* dst, const Block& block) {
  each_block<kLength>(part, dst, [&](int64_t number, T* to) HWY_ATTR {
    block(part.rows.data + number * kBytes, to);
  });
}

template <class T>
void nf4_part(const QuantisedPart& part, T* dst) {
  const std::byte* data = part.rows.data;
  const nf4::Layout layout(part.rows.size);
  each_block<nf4::kLength>(part, dst, [&](int64_t number, T* to) HWY_ATTR {
    nf4_block(data + number * (nf4::kLength / 2), nf4::magnitude(data, layout, number), to);
  });
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
void int8_part(const QuantisedPart& part, T* dst) {
  const QuantisedRows& rows = part.rows;
  const int64_t width = part.last - part.first;
  for (int64_t r = rows.first; r < rows.last; ++r, dst += width) {
    int8_row(rows.data + r * rows.size.columns + part.first, int8_rows::scale_of(rows, r), width,
             dst);
  }
}

template <class T>
void dequantise_as(BlockFormat format, const QuantisedPart& part, T* dst) {
  switch (format) {
    case BlockFormat::kQ80:
      return each_stored_block<q8_0::kLength, q8_0::kBytes>(part, dst, q8_0_block<T>);
    case BlockFormat::kQ40:
      return each_stored_block<q4_0::kLength, q4_0::kBytes>(part, dst, q4_0_block<T>);
    case BlockFormat::kQ50:
      return each_stored_block<q5_0::kLength, q5_0::kBytes>(part, dst, q5_0_block<T>);
    case BlockFormat::kQ4K:
      return each_stored_block<q4_k::kLength, q4_k::kBytes>(part, dst, q4_k_block<T>);
    case BlockFormat::kQ5K:
      return each_stored_block<q5_k::kLength, q5_k::kBytes>(part, dst, q5_k_block<T>);
    case BlockFormat::kQ6K:
      return each_stored_block<q6_k::kLength, q6_k::kBytes>(part, dst, q6_k_block<T>);
    case BlockFormat::kNf4:
      return nf4_part(part, dst);
    case BlockFormat::kInt8Rows:
      return int8_part(part, dst);
  }
}

void dequantise_range(BlockFormat format, const QuantisedPart& part, const Output& dst,
                      int64_t offset) {
  if (dst.dtype() == DType::kBF16) return dequantise_as(format, part, dst.as<BFloat16>() + offset);
  if (part.as_bf16) return dequantise_as(format, part, dst.as<WideBFloat16>() + offset);
  dequantise_as(format, part, dst.as<float>() + offset);
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(dequantise_range);
}  // namespace

void dequantise(BlockFormat format, const QuantisedPart& part, Output dst) {
  ensure(dst.dtype() == DType::kF32 || dst.dtype() == DType::kBF16, "quantised numbers as {}",
         dtype_name(dst.dtype()));
  const QuantisedRows& rows = part.rows;
  const int64_t width = part.last - part.first;
  parallel_ranges(rows.last - rows.first, width, [&](int64_t first, int64_t last) {
    const QuantisedRows some{rows.data, rows.size, rows.first + first, rows.first + last};
    HWY_DYNAMIC_DISPATCH(dequantise_range)
    (format, {some, part.first, part.last, part.as_bf16}, dst, first * width);
  });
}

}  // namespace inlay::kernels
#endif
