#include "tensor/kernels/convert.h"

#include <cstring>

#include "base/error.h"

namespace inlay::kernels {
namespace {

template <class Src, class Dst>
void convert_as(const std::byte* src, std::byte* dst, int64_t count) {
  const auto* from = reinterpret_cast<const Src*>(src);
  auto* to = reinterpret_cast<Dst*>(dst);
  for (int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<Src, double> && std::is_same_v<Dst, float>) {
      to[i] = static_cast<float>(from[i]);
    } else if constexpr (std::is_same_v<Dst, double>) {
      to[i] = static_cast<double>(static_cast<float>(from[i]));
    } else {
      to[i] = static_cast<Dst>(static_cast<float>(from[i]));
    }
  }
}

template <class Src>
void convert_from(const std::byte* src, std::byte* dst, DType dst_dtype, int64_t count) {
  switch (dst_dtype) {
    case DType::kF16: return convert_as<Src, Float16>(src, dst, count);
    case DType::kBF16: return convert_as<Src, BFloat16>(src, dst, count);
    case DType::kF32: return convert_as<Src, float>(src, dst, count);
    case DType::kF64: return convert_as<Src, double>(src, dst, count);
    default: fail(ErrorKind::kInternal, "conversion to {}", dtype_name(dst_dtype));
  }
}

}  // namespace

void convert(const std::byte* src, DType src_dtype, std::byte* dst, DType dst_dtype, int64_t count) {
  switch (src_dtype) {
    case DType::kF16: return convert_from<Float16>(src, dst, dst_dtype, count);
    case DType::kBF16: return convert_from<BFloat16>(src, dst, dst_dtype, count);
    case DType::kF32: return convert_from<float>(src, dst, dst_dtype, count);
    case DType::kF64: return convert_from<double>(src, dst, dst_dtype, count);
    default: fail(ErrorKind::kInternal, "conversion from {}", dtype_name(src_dtype));
  }
}

}  // namespace inlay::kernels
