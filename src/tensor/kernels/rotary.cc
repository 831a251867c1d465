#include "tensor/kernels/rotary.h"

#include "tensor/kernels/parallel.h"
#include "tensor/kernels/rotary_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/rotary.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

// One head of one row.
void turn_head(const Rotary& args, const Input& src, const Output& dst, int64_t start,
               int64_t table) {
  const int64_t half = args.turned / 2;
  for_vectors(0, half, [&](int64_t i, std::size_t n) HWY_ATTR {
    const V32 a = load_any(src, start + i, n), b = load_any(src, start + half + i, n);
    const V32 cosine = load_any(args.cosine, table + i, n);
    const V32 sine = args.inverse ? hn::Neg(load_any(args.sine, table + i, n))
                                  : load_any(args.sine, table + i, n);
    store_any(hn::NegMulAdd(b, sine, hn::Mul(a, cosine)), dst, start + i, n);
    store_any(hn::MulAdd(a, sine, hn::Mul(b, cosine)), dst, start + half + i, n);
  });
  for_vectors(args.turned, args.head_dim, [&](int64_t i, std::size_t n) HWY_ATTR {
    store_any(load_any(src, start + i, n), dst, start + i, n);
  });
}

void turn_rows(const Rotary& args, const Input& src, const Output& dst, int64_t first,
               int64_t last) {
  for (int64_t row = first; row < last; ++row) {
    const int64_t table = args.positions[row] * (args.turned / 2);
    for (int64_t head = 0; head < args.heads; ++head)
      turn_head(args, src, dst, (row * args.heads + head) * args.head_dim, table);
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(turn_rows);
}  // namespace

void rotary(const Rotary& args, Input src, Output dst) {
  if (runs_in_double({src, args.cosine, args.sine, dst}))
    return rotary_reference<double>(args, src, dst);
  parallel_ranges(args.rows, args.heads * args.head_dim, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(turn_rows)(args, src, dst, first, last);
  });
}

}  // namespace inlay::kernels
#endif
