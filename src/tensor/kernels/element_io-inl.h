// f32 and bf16 elements as vectors of f32, for use inside Highway kernels: loads widen, stores of
// bf16 round to nearest, ties to even, and keep NaN. The partial forms touch only the first `count`
// elements and read zeros beyond.
//
//   auto v = load_f32(d, row + c);
//   store_f32(hn::Mul(v, scale), d, row + c);

#if defined(INLAY_KERNELS_ELEMENT_IO_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ELEMENT_IO_INL_H_
#undef INLAY_KERNELS_ELEMENT_IO_INL_H_
#else
#define INLAY_KERNELS_ELEMENT_IO_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

#include "tensor/dtype.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> load_f32(D d, const float* src) {
  return hn::LoadU(d, src);
}

template <class D>
HWY_INLINE hn::Vec<D> load_f32(D d, const BFloat16* src) {
  const hn::Rebind<uint16_t, D> du16;
  const hn::Rebind<uint32_t, D> du32;
  const auto bits = hn::PromoteTo(du32, hn::LoadU(du16, reinterpret_cast<const uint16_t*>(src)));
  return hn::BitCast(d, hn::ShiftLeft<16>(bits));
}

template <class D>
HWY_INLINE void store_f32(hn::Vec<D> v, D d, float* dst) {
  hn::StoreU(v, d, dst);
}

template <class D>
HWY_INLINE void store_f32(hn::Vec<D> v, D /*d*/, BFloat16* dst) {
  const hn::Rebind<uint16_t, D> du16;
  const hn::Rebind<uint32_t, D> du32;
  const hn::Rebind<int32_t, D> di32;
  const auto bits = hn::BitCast(du32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du32, 1));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du32, 0x7fff)));
  const auto kept = hn::IfThenElse(hn::RebindMask(du32, hn::IsNaN(v)),
                                   hn::Or(bits, hn::Set(du32, 0x400000)), rounded);
  const auto upper = hn::BitCast(di32, hn::ShiftRight<16>(kept));
  hn::StoreU(hn::DemoteTo(du16, upper), du16, reinterpret_cast<uint16_t*>(dst));
}

template <class D, class T>
HWY_INLINE hn::Vec<D> load_f32(D d, const T* src, std::size_t count) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(buffer, src, count * sizeof(T));
  return load_f32(d, buffer);
}

template <class D, class T>
HWY_INLINE void store_f32(hn::Vec<D> v, D d, T* dst, std::size_t count) {
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)];
  store_f32(v, d, buffer);
  std::memcpy(dst, buffer, count * sizeof(T));
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
