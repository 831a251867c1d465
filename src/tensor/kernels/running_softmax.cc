#include "tensor/kernels/running_softmax.h"

#include <algorithm>
#include <limits>

#include "tensor/kernels/parallel.h"
#include "tensor/kernels/running_softmax_reference.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/running_softmax.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"
#include "tensor/kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

float largest_of_row(const Input& logits, int64_t start, int64_t classes) {
  const V32 lowest = set(-std::numeric_limits<float>::infinity());
  V32 parts[kParts];
  fill_parts(parts, lowest);
  fold(classes, parts, [&](V32& largest, int64_t c, std::size_t n) HWY_ATTR {
    largest = hn::Max(largest, first_or(load_any(logits, start + c, n), n, lowest));
  });
  return max_parts(parts);
}

struct SoftCap {
  // x -> cap tanh(x / cap); returns the derivative.
  HWY_INLINE V32 apply(V32& x) const {
    const V32 tangent = tanh_f32(F32(), hn::Mul(x, set(inverse)));
    x = hn::Mul(tangent, set(cap));
    return hn::NegMulAdd(tangent, tangent, set(1.0f));
  }
  // Of one number, with the bits that the vectors have.
  float of(float number) const {
    V32 x = set(number);
    (void)apply(x);
    return hn::GetLane(x);
  }
  float cap, inverse;
};

// Writes the weights of the row that begins at `start`; returns the sum of e.
template <bool kCapped>
float weigh_row(const RunningSoftmax& args, const SoftCap& cap, int64_t start, float largest) {
  V32 parts[kParts];
  fill_parts(parts, set(0.0f));
  fold(args.classes, parts, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
    V32 x = load_any(args.logits, start + c, n), slope = set(1.0f);
    if constexpr (kCapped) slope = cap.apply(x);
    const V32 e = exp_f32(F32(), hn::Sub(x, set(largest)));
    store_any(kCapped ? hn::Mul(e, slope) : e, args.weights, start + c, n);
    sum = hn::Add(sum, first_or(e, n, set(0.0f)));
  });
  return sum_parts(parts);
}

template <bool kCapped>
void softmax_rows_of(const RunningSoftmax& args, int64_t first, int64_t last) {
  const Input largest_before = args.largest, sum_before = args.sum;
  const SoftCap cap{static_cast<float>(args.soft_cap), static_cast<float>(1 / args.soft_cap)};
  for (int64_t r = first; r < last; ++r) {
    const int64_t start = r * args.classes;
    const float before = largest_before.load<float>(r);
    const float of_piece = largest_of_row(args.logits, start, args.classes);
    const float largest = std::max(before, kCapped ? cap.of(of_piece) : of_piece);
    const float sum = weigh_row<kCapped>(args, cap, start, largest);
    const bool first_piece = before == -std::numeric_limits<float>::infinity();
    const float factor = first_piece ? 0.0f : hn::GetLane(exp_f32(F32(), set(before - largest)));
    args.largest.store(r, largest);
    args.sum.store(r, factor * sum_before.load<float>(r) + sum);
    args.factor.store(r, factor);
  }
}

void softmax_rows(const RunningSoftmax& args, int64_t first, int64_t last) {
  args.soft_cap > 0 ? softmax_rows_of<true>(args, first, last)
                    : softmax_rows_of<false>(args, first, last);
}

void add_rows(const Input& factor, const Input& src, const Output& dst, int64_t columns,
              int64_t first, int64_t last) {
  const Input before = dst;
  for (int64_t r = first; r < last; ++r) {
    const float by = factor.load<float>(r);
    for_vectors(r * columns, (r + 1) * columns, [&](int64_t i, std::size_t n) HWY_ATTR {
      const V32 x = load_any(src, i, n);
      store_any(by == 0.0f ? x : hn::MulAdd(set(by), load_any(before, i, n), x), dst, i, n);
    });
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(softmax_rows);
HWY_EXPORT(add_rows);
}  // namespace

void running_softmax(const RunningSoftmax& args) {
  if (runs_in_double({args.logits, args.weights, args.largest, args.sum, args.factor}))
    return running_softmax_reference<double>(args);
  parallel_ranges(args.rows, args.classes, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(softmax_rows)(args, first, last);
  });
}

void rescale_and_add(Input factor, Input src, Output dst, int64_t rows, int64_t columns) {
  if (runs_in_double({factor, src, dst}))
    return rescale_and_add_reference<double>(factor, src, dst, rows, columns);
  parallel_ranges(rows, columns, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(add_rows)(factor, src, dst, columns, first, last);
  });
}

}  // namespace inlay::kernels
#endif
