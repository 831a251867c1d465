#include "tensor/kernels/cross_entropy.h"

#include <limits>

#include "tensor/kernels/cross_entropy_reference.h"
#include "tensor/kernels/parallel.h"
#include "tensor/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/kernels/cross_entropy.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "tensor/kernels/row_fold-inl.h"
#include "tensor/kernels/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace {

float row_log_sum_exp(const Input& logits, int64_t start, int64_t classes) {
  const V32 lowest = set(-std::numeric_limits<float>::infinity());
  const auto x = [&](int64_t c, std::size_t n)
                     HWY_ATTR { return first_or(load_any(logits, start + c, n), n, lowest); };
  V32 parts[kParts];
  fill_parts(parts, lowest);
  fold(classes, parts, [&](V32& largest, int64_t c, std::size_t n) HWY_ATTR {
    largest = hn::Max(largest, x(c, n));
  });
  const float largest = max_parts(parts);
  fill_parts(parts, set(0.0f));
  fold(classes, parts, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
    sum = hn::Add(sum, exp_f32(F32(), hn::Sub(x(c, n), set(largest))));
  });
  return largest + hn::GetLane(log_f32(F32(), set(sum_parts(parts))));
}

// sum_c w_c (lse - x_c)
float row_smooth_loss(const CrossEntropy& args, const Input& logits, int64_t start, float lse) {
  V32 parts[kParts];
  fill_parts(parts, set(0.0f));
  fold(args.classes, parts, [&](V32& sum, int64_t c, std::size_t n) HWY_ATTR {
    const V32 term = first_or(hn::Sub(set(lse), load_any(logits, start + c, n)), n, set(0.0f));
    const V32 weight = args.class_weights ? load_any(args.class_weights, c, n) : set(1.0f);
    sum = hn::MulAdd(weight, term, sum);
  });
  return sum_parts(parts);
}

void forward_rows(const CrossEntropy& args, const Input& logits, const Output& loss,
                  const Output& lse, int64_t first, int64_t last) {
  const auto smoothing = static_cast<float>(args.label_smoothing);
  for (int64_t r = first; r < last; ++r) {
    const int64_t start = r * args.classes;
    const int32_t y = args.targets[r];
    const float row_lse = row_log_sum_exp(logits, start, args.classes);
    lse.store(r, row_lse);
    if (y == kIgnoredTarget) {
      loss.store(r, 0.0f);
      continue;
    }
    float row_loss = class_weight<float>(args, y) * (row_lse - logits.load<float>(start + y));
    if (smoothing != 0) {
      const float smooth = row_smooth_loss(args, logits, start, row_lse);
      row_loss = (1 - smoothing) * row_loss + smoothing / static_cast<float>(args.classes) * smooth;
    }
    loss.store(r, row_loss);
  }
}

// grad_c = p_c * (nll + smooth) - [c = y] nll - share * w_c, all times scale. weight_sum: W.
void backward_rows(const CrossEntropy& args, double weight_sum, double loss_scale,
                   const Input& logits, const Input& lse, const Output& grad_logits, int64_t first,
                   int64_t last) {
  const double row_share = args.label_smoothing / static_cast<double>(args.classes);
  const auto smooth = static_cast<float>(row_share * weight_sum);
  const V32 scale = set(static_cast<float>(loss_scale)), share = set(static_cast<float>(row_share));
  for (int64_t r = first; r < last; ++r) {
    const int64_t start = r * args.classes;
    const int32_t y = args.targets[r];
    if (y == kIgnoredTarget) {
      for_vectors(0, args.classes, [&](int64_t c, std::size_t n) HWY_ATTR {
        store_any(set(0.0f), grad_logits, start + c, n);
      });
      continue;
    }
    const float nll = (1 - static_cast<float>(args.label_smoothing)) * class_weight<float>(args, y);
    const V32 factor = set(nll + smooth), row_lse = set(lse.load<float>(r));
    const auto grad = [&](V32 x, V32 weight) HWY_ATTR {
      return hn::NegMulAdd(share, weight, hn::Mul(exp_f32(F32(), hn::Sub(x, row_lse)), factor));
    };
    // The target's logit is read before its place may be written.
    const V32 at_target =
        grad(set(logits.load<float>(start + y)), set(class_weight<float>(args, y)));
    for_vectors(0, args.classes, [&](int64_t c, std::size_t n) HWY_ATTR {
      const V32 weight = args.class_weights ? load_any(args.class_weights, c, n) : set(1.0f);
      store_any(hn::Mul(scale, grad(load_any(logits, start + c, n), weight)), grad_logits,
                start + c, n);
    });
    grad_logits.store(start + y, hn::GetLane(hn::Mul(scale, hn::Sub(at_target, set(nll)))));
  }
}

}  // namespace
}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inlay::kernels {
namespace {
HWY_EXPORT(forward_rows);
HWY_EXPORT(backward_rows);

double class_weight_sum(const CrossEntropy& args) {
  if (!args.class_weights) return static_cast<double>(args.classes);
  double sum = 0;
  for (int64_t c = 0; c < args.classes; ++c) sum += class_weight<double>(args, c);
  return sum;
}

}  // namespace

double cross_entropy_weight(const CrossEntropy& args) {
  double sum = 0;
  for (int64_t r = 0; r < args.rows; ++r) {
    if (args.targets[r] != kIgnoredTarget) sum += class_weight<double>(args, args.targets[r]);
  }
  return sum;
}

void cross_entropy_forward(const CrossEntropy& args, Input logits, Output loss, Output lse) {
  if (runs_in_double({logits, args.class_weights, loss, lse})) {
    return cross_entropy_forward_reference<double>(args, logits, loss, lse);
  }
  parallel_ranges(args.rows, args.classes, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(forward_rows)(args, logits, loss, lse, first, last);
  });
}

void cross_entropy_backward(const CrossEntropy& args, Input logits, Input lse, double scale,
                            Output grad_logits) {
  if (runs_in_double({logits, args.class_weights, lse, grad_logits})) {
    return cross_entropy_backward_reference<double>(args, logits, lse, scale, grad_logits);
  }
  const double weight_sum = class_weight_sum(args);
  parallel_ranges(args.rows, args.classes, [&](int64_t first, int64_t last) {
    HWY_DYNAMIC_DISPATCH(backward_rows)
    (args, weight_sum, scale, logits, lse, grad_logits, first, last);
  });
}

}  // namespace inlay::kernels
#endif
