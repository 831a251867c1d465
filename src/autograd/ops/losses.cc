#include "autograd/ops/losses.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/loss_seed.h"
#include "autograd/operands.h"
#include "tensor/kernels/binary_losses.h"
#include "tensor/kernels/cross_entropy.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

kernels::CrossEntropy kernel_args(const std::vector<int32_t>& targets, int64_t classes,
                                  const CrossEntropyOptions& options) {
  static_assert(kIgnoredLabel == kernels::kIgnoredTarget);
  return {.rows = static_cast<int64_t>(targets.size()),
          .classes = classes,
          .targets = targets.data(),
          .label_smoothing = options.label_smoothing,
          .class_weights = in(options.class_weights)};
}

double log_sum_exp(kernels::Input src, int64_t first, int64_t last) {
  double top = -std::numeric_limits<double>::infinity(), sum = 0;
  for (int64_t i = first; i < last; ++i) top = std::max(top, src.load<double>(i));
  for (int64_t i = first; i < last; ++i) sum += std::exp(src.load<double>(i) - top);
  return top + std::log(sum);
}

void soft_cross_entropy_forward(kernels::Input src, kernels::Input targets, int64_t rows,
                                int64_t columns, kernels::Output loss) {
  for (int64_t row = 0; row < rows; ++row) {
    int64_t first = row * columns, last = first + columns;
    double lse = log_sum_exp(src, first, last), sum = 0;
    for (int64_t i = first; i < last; ++i)
      sum += targets.load<double>(i) * (lse - src.load<double>(i));
    loss.store(row, sum);
  }
}

// grad_c = scale * (p_c sum_k t_k - t_c)
void soft_cross_entropy_backward(kernels::Input src, kernels::Input targets, int64_t columns,
                                 double scale, kernels::Output grad_src, int64_t count) {
  for (int64_t first = 0; first < count; first += columns) {
    int64_t last = first + columns;
    double lse = log_sum_exp(src, first, last), weight = 0;
    for (int64_t i = first; i < last; ++i) weight += targets.load<double>(i);
    for (int64_t i = first; i < last; ++i) {
      double share = std::exp(src.load<double>(i) - lse);
      grad_src.store(i, scale * (share * weight - targets.load<double>(i)));
    }
  }
}

// The common shape of the losses against real-valued targets.
template <class Forward, class Backward>
Variable real_target_loss(OpContext& context, const Variable& logits, const Tensor& targets,
                          double normalizer, const Forward& forward, const Backward& backward) {
  ensure(targets.shape() == logits.shape(), "targets of shape {} for logits of shape {}",
         targets.shape().text(), logits.shape().text());
  Tensor wide = context.compute == DType::kF64 ? targets.to(DType::kF64, &context.arena) : targets;
  Tensor y = context.tape.empty({logits.rows(), 1}, context.dtype(Precision::kFull));
  forward(in(logits.value()), in(wide), logits.rows(), logits.channels(), out(y));
  kernels::scale(in(y), 1.0 / normalizer, out(y), y.count());
  return context.tape.record(std::move(y), logits.row_space(), logits.requires_grad(),
                             [slot = logits.slot(), kept = logits.value(), wide, normalizer,
                              backward](Tape& tape, const Tensor& grad_y) {
                               Tensor grad = tape.empty(kept.shape(), kept.dtype());
                               backward(in(kept), in(wide), equal_seed(grad_y) / normalizer,
                                        out(grad), grad.count());
                               tape.accumulate(slot, std::move(grad));
                             });
}

}  // namespace

double cross_entropy_weight(const std::vector<int32_t>& targets,
                            const CrossEntropyOptions& options) {
  return kernels::cross_entropy_weight(kernel_args(targets, 0, options));
}

Variable cross_entropy(OpContext& context, const Variable& logits,
                       const std::vector<int32_t>& targets, const CrossEntropyOptions& options) {
  ensure(static_cast<int64_t>(targets.size()) == logits.rows(), "{} targets for {} rows",
         targets.size(), logits.rows());
  CrossEntropyOptions held = options;
  if (context.compute == DType::kF64 && held.class_weights.defined()) {
    held.class_weights = held.class_weights.to(DType::kF64);
  }
  DType full = context.dtype(Precision::kFull);
  Tensor y = context.tape.empty({logits.rows(), 1}, full);
  Tensor lse = context.tape.empty({logits.rows()}, full);
  kernels::CrossEntropy args = kernel_args(targets, logits.channels(), held);
  kernels::cross_entropy_forward(args, in(logits.value()), out(y), out(lse));
  kernels::scale(in(y), 1.0 / held.normalizer, out(y), y.count());
  return context.tape.record(std::move(y), logits.row_space(), logits.requires_grad(),
                             [slot = logits.slot(), kept = logits.value(), args, held, lse](
                                 Tape& tape, const Tensor& grad_y) {
                               Tensor grad = tape.empty(kept.shape(), kept.dtype());
                               for_each_seed(grad_y, [&](int64_t first, int64_t last, double seed) {
                                 kernels::CrossEntropy part = args;
                                 part.targets += first;
                                 part.rows = last - first;
                                 kernels::cross_entropy_backward(
                                     part, in(kept.rows(first, last)), in(lse.rows(first, last)),
                                     seed / held.normalizer, out(grad.rows(first, last)));
                               });
                               tape.accumulate(slot, std::move(grad));
                             });
}

Variable soft_cross_entropy(OpContext& context, const Variable& logits, const Tensor& targets,
                            double normalizer) {
  auto backward = [columns = logits.channels()](kernels::Input src, kernels::Input wanted,
                                                double scale, kernels::Output grad_src,
                                                int64_t count) {
    soft_cross_entropy_backward(src, wanted, columns, scale, grad_src, count);
  };
  return real_target_loss(context, logits, targets, normalizer, soft_cross_entropy_forward,
                          backward);
}

Variable binary_cross_entropy(OpContext& context, const Variable& logits, const Tensor& targets,
                              double normalizer) {
  return real_target_loss(context, logits, targets, normalizer, kernels::bce_with_logits_forward,
                          kernels::bce_with_logits_backward);
}

Variable squared_error(OpContext& context, const Variable& logits, const Tensor& targets,
                       double normalizer) {
  return real_target_loss(context, logits, targets, normalizer, kernels::squared_error_forward,
                          kernels::squared_error_backward);
}

}  // namespace inlay
