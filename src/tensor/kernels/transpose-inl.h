// Four vectors written as columns.

#if defined(INLAY_KERNELS_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_TRANSPOSE_INL_H_
#undef INLAY_KERNELS_TRANSPOSE_INL_H_
#else
#define INLAY_KERNELS_TRANSPOSE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// dst[i * stride + 0..3] = lane i of v0, v1, v2, v3, for every lane i.
template <class D>
HWY_INLINE void store_columns(D d, hn::Vec<D> v0, hn::Vec<D> v1, hn::Vec<D> v2, hn::Vec<D> v3,
                              float* dst, std::size_t stride) {
#if HWY_TARGET == HWY_SCALAR
  (void)d, (void)stride;
  dst[0] = hn::GetLane(v0);
  dst[1] = hn::GetLane(v1);
  dst[2] = hn::GetLane(v2);
  dst[3] = hn::GetLane(v3);
#else
  const hn::RepartitionToWide<D> dw;
  const hn::Full128<float> d4;
  const auto low01 = hn::BitCast(dw, hn::InterleaveLower(d, v0, v1));
  const auto high01 = hn::BitCast(dw, hn::InterleaveUpper(d, v0, v1));
  const auto low23 = hn::BitCast(dw, hn::InterleaveLower(d, v2, v3));
  const auto high23 = hn::BitCast(dw, hn::InterleaveUpper(d, v2, v3));
  // Block b of columns[i] holds lane 4b + i of the four.
  HWY_ALIGN float columns[4][hn::MaxLanes(d)];
  hn::Store(hn::BitCast(d, hn::InterleaveLower(dw, low01, low23)), d, columns[0]);
  hn::Store(hn::BitCast(d, hn::InterleaveUpper(dw, low01, low23)), d, columns[1]);
  hn::Store(hn::BitCast(d, hn::InterleaveLower(dw, high01, high23)), d, columns[2]);
  hn::Store(hn::BitCast(d, hn::InterleaveUpper(dw, high01, high23)), d, columns[3]);
  for (std::size_t block = 0; block < hn::Lanes(d); block += 4) {
    for (std::size_t i = 0; i < 4; ++i) {
      hn::StoreU(hn::Load(d4, columns[i] + block), d4, dst + (block + i) * stride);
    }
  }
#endif
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
