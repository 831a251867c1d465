#include "autograd/ops/margin_loss.h"

#include <algorithm>

#include "autograd/operands.h"

namespace inlay {

Variable margin_loss(OpContext& context, const Variable& x, double margin, double normalizer,
                     const RowSpace* triplets) {
  int64_t count = triplets->rows();
  ensure(x.rows() == 2 * count && x.channels() == 1, "similarities of shape {} for {} triplets",
         x.value().shape().text(), count);
  Tensor y = context.tape.empty({count, 1}, context.dtype(Precision::kFull));
  auto excess = [margin](const Tensor& values, int64_t t) {
    return in(values).load<double>(2 * t + 1) - in(values).load<double>(2 * t) + margin;
  };
  for (int64_t t = 0; t < count; ++t)
    out(y).store(t, std::max(0.0, excess(x.value(), t)) / normalizer);
  return context.tape.record(
      std::move(y), triplets, x.requires_grad(),
      [slot = x.slot(), kept = x.value(), excess, normalizer](Tape& tape, const Tensor& grad_y) {
        Tensor grad = tape.empty(kept.shape(), kept.dtype());
        for (int64_t t = 0; t < grad_y.count(); ++t) {
          double slope = excess(kept, t) > 0 ? 1.0 / normalizer : 0.0;
          slope *= in(grad_y).load<double>(t);
          out(grad).store(2 * t, -slope);
          out(grad).store(2 * t + 1, slope);
        }
        tape.accumulate(slot, std::move(grad));
      });
}

}  // namespace inlay
