#include "tensor/kernels/halves.h"

#include "tensor/kernels/halves_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/halves.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// Blocks are counted over all rows.
void combine_blocks(const Input& src, double sign, const Halves& halves, int64_t first,
                    int64_t last, const Output& dst) {
  const int64_t half = halves.block / 2;
  const V32 scale = set(static_cast<float>(halves.scale)), factor = set(static_cast<float>(sign));
  for (int64_t block = first; block < last; ++block) {
    for_vectors(0, half, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t from = block * halves.block + c;
      const V32 sum = hn::MulAdd(factor, load_any(src, from + half, n), load_any(src, from, n));
      store_any(hn::Mul(scale, sum), dst, block * half + c, n);
    });
  }
}

void spread_blocks(const Input& sums, const Input& differences, const Halves& halves, int64_t first,
                   int64_t last, const Output& dst) {
  const int64_t half = halves.block / 2;
  const V32 scale = set(static_cast<float>(halves.scale)), none = set(0.0f);
  for (int64_t block = first; block < last; ++block) {
    for_vectors(0, half, [&](int64_t c, std::size_t n) HWY_ATTR {
      const int64_t from = block * half + c, to = block * halves.block + c;
      const V32 sum = sums ? load_any(sums, from, n) : none;
      const V32 difference = differences ? load_any(differences, from, n) : none;
      store_any(hn::Mul(scale, hn::Add(sum, difference)), dst, to, n);
      store_any(hn::Mul(scale, hn::Sub(sum, difference)), dst, to + half, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(combine_blocks);
HWY_EXPORT(spread_blocks);

int64_t blocks_of(const Halves& halves) { return halves.rows * halves.channels / halves.block; }
}  // namespace

void combine_halves(Input src, double sign, const Halves& halves, Output dst) {
  if (runs_in_double({src, dst})) return combine_halves_reference<double>(src, sign, halves, dst);
  parallel_ranges(blocks_of(halves), halves.block, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(combine_blocks)(src, sign, halves, first, last, dst);
  });
}

void spread_halves(Input sums, Input differences, const Halves& halves, Output dst) {
  if (runs_in_double({dst, sums, differences}))
    return spread_halves_reference<double>(sums, differences, halves, dst);
  parallel_ranges(blocks_of(halves), halves.block, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(spread_blocks)(sums, differences, halves, first, last, dst);
  });
}

}  // namespace inlay::kernels
#endif
