#include "autograd/ops/masked_bce.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/operands.h"

namespace inlay {
namespace {

double loss_of(double x, double target) {
  return std::max(x, 0.0) - x * target + std::log1p(std::exp(-std::fabs(x)));
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

Variable masked_binary_cross_entropy(OpContext& context, const Variable& logits,
                                     const Tensor& targets, double normalizer) {
  ensure(logits.channels() == 1 && targets.shape() == logits.shape(),
         "targets of shape {} for logits of shape {}", targets.shape().text(),
         logits.shape().text());
  Tensor y = context.tape.empty({logits.rows(), 1}, context.dtype(Precision::kFull));
  for (int64_t row = 0; row < logits.rows(); ++row) {
    auto target = in(targets).load<double>(row);
    auto x = in(logits.value()).load<double>(row);
    out(y).store(row, target < 0 ? 0.0 : loss_of(x, target) / normalizer);
  }
  return context.tape.record(
      std::move(y), logits.row_space(), logits.requires_grad(),
      [slot = logits.slot(), kept = logits.value(), targets, normalizer](Tape& tape,
                                                                         const Tensor& grad_y) {
        Tensor grad = tape.empty(kept.shape(), kept.dtype());
        for (int64_t row = 0; row < grad.count(); ++row) {
          auto target = in(targets).load<double>(row);
          double slope = (sigmoid(in(kept).load<double>(row)) - target) / normalizer;
          out(grad).store(row, target < 0 ? 0.0 : slope * in(grad_y).load<double>(row));
        }
        tape.accumulate(slot, std::move(grad));
      });
}

}  // namespace inlay
