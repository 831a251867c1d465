// Reductions down the columns of rows [first, last), in row order. Panels of 32 vectors and blocks
// of four rows keep both the accumulators in the first-level cache and the reads in long runs.
// Inside Highway kernels:
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
  constexpr int64_t kPanel = 32, kBlock = 4;
  State states[kPanel];
  for (int64_t start = 0; start < columns; start += kPanel * kStride) {
    const int64_t width = std::min(kPanel * kStride, columns - start);
    for (State& state : states) state = zero;
    for (int64_t block = first; block < last; block += kBlock) {
      const int64_t end = std::min(block + kBlock, last);
      for_vectors(0, width, [&](int64_t c, std::size_t n) HWY_ATTR {
        State state = states[c / kStride];
        for (int64_t t = block; t < end; ++t) step(state, t, start + c, n);
        states[c / kStride] = state;
      });
    }
    for_vectors(0, width, [&](int64_t c, std::size_t n) HWY_ATTR {
      emit(states[c / kStride], start + c, n);
    });
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
