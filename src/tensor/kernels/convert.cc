#include "tensor/kernels/convert.h"

#include <type_traits>

#include "base/error.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/convert.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

void widen_range(const BFloat16* src, float* dst, int64_t first, int64_t last) {
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_some(load_some(src + i, n), dst + i, n);
  });
}

// Between f32 and bf16.
void convert_range(const Input& src, const Output& dst, int64_t first, int64_t last) {
  if (src.dtype() == DType::kBF16 && dst.dtype() == DType::kF32)
    return widen_range(src.as<BFloat16>(), dst.as<float>(), first, last);
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(load_any(src, i, n), dst, i, n);
  });
}

// The same of each row.
void convert_each_row(const StridedRows& src, const Output& dst, int64_t stride) {
  const auto width = static_cast<std::size_t>(stride) * dtype_size(dst.dtype());
  auto* to = dst.as<std::byte>();
  for (int64_t row = 0; row < src.rows; ++row, to += width) {
    const auto skipped = static_cast<std::size_t>(row * src.stride) * dtype_size(src.dtype);
    convert_range({src.data + skipped, src.dtype}, {to, dst.dtype()}, 0, src.columns);
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(convert_range);
HWY_EXPORT(convert_each_row);

// The other pairs, which only files and tests hold.
template <class Src, class Dst>
void convert_as(const std::byte* src, std::byte* dst, int64_t first, int64_t last) {
  const auto* from = reinterpret_cast<const Src*>(src);
  auto* to = reinterpret_cast<Dst*>(dst);
  for (int64_t i = first; i < last; ++i) {
    if constexpr (std::is_same_v<Src, Dst>) {
      to[i] = from[i];
    } else {
      to[i] = static_cast<Dst>(static_cast<float>(from[i]));
    }
  }
}

template <class Src>
void convert_from(const std::byte* src, std::byte* dst, DType dst_dtype, int64_t first,
                  int64_t last) {
  switch (dst_dtype) {
    case DType::kF16:
      return convert_as<Src, Float16>(src, dst, first, last);
    case DType::kBF16:
      return convert_as<Src, BFloat16>(src, dst, first, last);
    case DType::kF32:
      return convert_as<Src, float>(src, dst, first, last);
    default:
      return convert_as<Src, double>(src, dst, first, last);
  }
}

bool is_fast(DType dtype) { return dtype == DType::kF32 || dtype == DType::kBF16; }

void convert_any(const std::byte* src, DType src_dtype, std::byte* dst, DType dst_dtype,
                 int64_t first, int64_t last) {
  switch (src_dtype) {
    case DType::kF16:
      return convert_from<Float16>(src, dst, dst_dtype, first, last);
    case DType::kBF16:
      return convert_from<BFloat16>(src, dst, dst_dtype, first, last);
    case DType::kF32:
      return convert_from<float>(src, dst, dst_dtype, first, last);
    default:
      return convert_from<double>(src, dst, dst_dtype, first, last);
  }
}

void check_types(DType src_dtype, DType dst_dtype) {
  ensure(is_floating(src_dtype) && is_floating(dst_dtype), "conversion from {} to {}",
         dtype_name(src_dtype), dtype_name(dst_dtype));
}

}  // namespace

void convert(const std::byte* src, DType src_dtype, std::byte* dst, DType dst_dtype,
             int64_t count) {
  check_types(src_dtype, dst_dtype);
  bool fast = is_fast(src_dtype) && is_fast(dst_dtype);
  parallel_elements(count, [&](int64_t first, int64_t last) {
    if (!fast) return convert_any(src, src_dtype, dst, dst_dtype, first, last);
    HWY_DYNAMIC_DISPATCH(convert_range)({src, src_dtype}, {dst, dst_dtype}, first, last);
  });
}

void convert_rows(const StridedRows& src, std::byte* dst, DType dst_dtype, int64_t dst_stride) {
  check_types(src.dtype, dst_dtype);
  const int64_t stride = dst_stride > 0 ? dst_stride : src.columns;
  if (is_fast(src.dtype) && is_fast(dst_dtype))
    return HWY_DYNAMIC_DISPATCH(convert_each_row)(src, {dst, dst_dtype}, stride);
  for (int64_t row = 0; row < src.rows; ++row) {
    const auto skipped = static_cast<std::size_t>(row * src.stride) * dtype_size(src.dtype);
    const auto done = static_cast<std::size_t>(row * stride) * dtype_size(dst_dtype);
    convert_any(src.data + skipped, src.dtype, dst + done, dst_dtype, 0, src.columns);
  }
}

}  // namespace inlay::kernels
#endif
