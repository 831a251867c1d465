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

// Between f32 and bf16.
void convert_range(const Input& src, const Output& dst, int64_t first, int64_t last) {
  for_vectors(first, last, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(load_any(src, i, n), dst, i, n);
  });
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(convert_range);

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

}  // namespace

void convert(const std::byte* src, DType src_dtype, std::byte* dst, DType dst_dtype,
             int64_t count) {
  ensure(is_floating(src_dtype) && is_floating(dst_dtype), "conversion from {} to {}",
         dtype_name(src_dtype), dtype_name(dst_dtype));
  parallel_elements(count, [&](int64_t first, int64_t last) {
    if (is_fast(src_dtype) && is_fast(dst_dtype)) {
      return HWY_DYNAMIC_DISPATCH(convert_range)({src, src_dtype}, {dst, dst_dtype}, first, last);
    }
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
  });
}

}  // namespace inlay::kernels
#endif
