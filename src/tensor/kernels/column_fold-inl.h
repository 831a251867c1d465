// Reductions down the columns of rows [first, last), in row order, with the accumulators of several
// neighbouring vectors held in registers. Inside Highway kernels:
//
//   fold_columns(columns, first, last, set(0.0f),
//                [&](V32& sum, int64_t t, int64_t c, std::size_t n) HWY_ATTR { ... },
//                [&](const V32& sum, int64_t c, std::size_t n) HWY_ATTR { store_any(sum, dst, c,
//                n); });

#if defined(INLAY_KERNELS_COLUMN_FOLD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_COLUMN_FOLD_INL_H_
#undef INLAY_KERNELS_COLUMN_FOLD_INL_H_
#else
#define INLAY_KERNELS_COLUMN_FOLD_INL_H_
#endif

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

template <class State, class Step, class Emit>
HWY_INLINE void fold_columns(int64_t columns, int64_t first, int64_t last, State zero,
                             const Step& step, const Emit& emit) {
  constexpr auto kStride = static_cast<int64_t>(kWidth);
  constexpr int64_t kTile = 4;
  int64_t c = 0;
  for (; c + kTile * kStride <= columns; c += kTile * kStride) {
    State states[kTile] = {zero, zero, zero, zero};
    for (int64_t t = first; t < last; ++t) {
      for (int64_t j = 0; j < kTile; ++j) step(states[j], t, c + j * kStride, kWidth);
    }
    for (int64_t j = 0; j < kTile; ++j) emit(states[j], c + j * kStride, kWidth);
  }
  for (; c < columns; c += kStride) {
    const std::size_t n = std::min(kWidth, static_cast<std::size_t>(columns - c));
    State state = zero;
    for (int64_t t = first; t < last; ++t) step(state, t, c, n);
    emit(state, c, n);
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
