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

HWY_INLINE const uint16_t* bits_of(const BFloat16* src) {
  return reinterpret_cast<const uint16_t*>(src);
}
HWY_INLINE uint16_t* bits_of(BFloat16* dst) { return reinterpret_cast<uint16_t*>(dst); }

// The f32 values of bf16 bits.
template <class D>
HWY_INLINE hn::Vec<D> widened(D d, hn::Vec<hn::Rebind<uint16_t, D>> bits) {
  const hn::Rebind<uint32_t, D> du32;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du32, bits)));
}

// The bits of v as bf16.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<uint16_t, D>> rounded(D /*d*/, hn::Vec<D> v) {
  const hn::Rebind<uint16_t, D> du16;
  const hn::Rebind<uint32_t, D> du32;
  const hn::Rebind<int32_t, D> di32;
  const auto bits = hn::BitCast(du32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du32, 1));
  const auto nearest = hn::Add(bits, hn::Add(odd, hn::Set(du32, 0x7fff)));
  const auto kept = hn::IfThenElse(hn::RebindMask(du32, hn::IsNaN(v)),
                                   hn::Or(bits, hn::Set(du32, 0x400000)), nearest);
  return hn::DemoteTo(du16, hn::BitCast(di32, hn::ShiftRight<16>(kept)));
}

template <class D>
HWY_INLINE hn::Vec<D> load_f32(D d, const float* src) {
  return hn::LoadU(d, src);
}

template <class D>
HWY_INLINE hn::Vec<D> load_f32(D d, const BFloat16* src) {
  const hn::Rebind<uint16_t, D> du16;
  return widened(d, hn::LoadU(du16, bits_of(src)));
}

template <class D>
HWY_INLINE void store_f32(hn::Vec<D> v, D d, float* dst) {
  hn::StoreU(v, d, dst);
}

template <class D>
HWY_INLINE void store_f32(hn::Vec<D> v, D d, BFloat16* dst) {
  const hn::Rebind<uint16_t, D> du16;
  hn::StoreU(rounded(d, v), du16, bits_of(dst));
}

// Where masks guard memory, a partial vector is one instruction; elsewhere it goes through a
// buffer.
#if HWY_MEM_OPS_MIGHT_FAULT
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
#else
template <class D>
HWY_INLINE hn::Vec<D> load_f32(D d, const float* src, std::size_t count) {
  return hn::MaskedLoad(hn::FirstN(d, count), d, src);
}

template <class D>
HWY_INLINE hn::Vec<D> load_f32(D d, const BFloat16* src, std::size_t count) {
  const hn::Rebind<uint16_t, D> du16;
  return widened(d, hn::MaskedLoad(hn::FirstN(du16, count), du16, bits_of(src)));
}

template <class D>
HWY_INLINE void store_f32(hn::Vec<D> v, D d, float* dst, std::size_t count) {
  hn::BlendedStore(v, hn::FirstN(d, count), d, dst);
}

template <class D>
HWY_INLINE void store_f32(hn::Vec<D> v, D d, BFloat16* dst, std::size_t count) {
  const hn::Rebind<uint16_t, D> du16;
  hn::BlendedStore(rounded(d, v), hn::FirstN(du16, count), du16, bits_of(dst));
}
#endif

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
