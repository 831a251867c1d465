#include "autograd/ops/focal_loss.h"

#include <algorithm>
#include <cmath>

#include "autograd/operands.h"
#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

constexpr int32_t kBackground = -1;
constexpr int64_t kCost = 32;  // of a logit, in elements of a plain loop

struct Term {
  double value = 0, slope = 0;  // the slope by the logit
};

// Of one class in one row: `own` where it is the row's.
Term focal_term(double x, bool own, double alpha, double gamma) {
  double z = own ? x : -x, weight = own ? alpha : 1 - alpha;
  double e = std::exp(-std::fabs(z));
  double p = z >= 0 ? 1 / (1 + e) : e / (1 + e);  // p_t
  double q = z >= 0 ? e / (1 + e) : 1 / (1 + e);  // 1 - p_t
  double minus_log_p = std::max(-z, 0.0) + std::log1p(e);
  double factor = weight * std::pow(q, gamma);
  double by_z = -factor * (gamma * p * minus_log_p + q);
  return {.value = factor * minus_log_p, .slope = own ? by_z : -by_z};
}

void check_classes(const std::vector<int32_t>& classes, const Variable& logits) {
  ensure(static_cast<int64_t>(classes.size()) == logits.rows(), "{} classes for {} rows",
         classes.size(), logits.rows());
  for (int32_t id : classes) {
    bool known = id == kIgnoredLabel || (id >= kBackground && id < logits.channels());
    ensure(known, "class {} of a row of {} logits", id, logits.channels());
  }
}

// What the rows are compared with.
struct FocalRows {
  std::vector<int32_t> classes;
  int64_t width;
  double alpha, gamma;

  bool counts(int64_t row) const { return classes[static_cast<std::size_t>(row)] != kIgnoredLabel; }
  Term term(const Tensor& x, int64_t row, int64_t c) const {
    bool own = c == classes[static_cast<std::size_t>(row)];
    return focal_term(in(x).load<double>(row * width + c), own, alpha, gamma);
  }
};

}  // namespace

Variable focal_loss(OpContext& context, const Variable& logits, const std::vector<int32_t>& classes,
                    double alpha, double gamma, double normalizer) {
  check_classes(classes, logits);
  FocalRows rows{classes, logits.channels(), alpha, gamma};
  Tensor y = context.tape.empty({logits.rows(), 1}, context.dtype(Precision::kFull));
  kernels::parallel_ranges(y.count(), kCost * rows.width, [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      double sum = 0;
      for (int64_t c = 0; rows.counts(row) && c < rows.width; ++c)
        sum += rows.term(logits.value(), row, c).value;
      out(y).store(row, sum / normalizer);
    }
  });
  return context.tape.record(
      std::move(y), logits.row_space(), logits.requires_grad(),
      [slot = logits.slot(), kept = logits.value(), rows = std::move(rows), normalizer](
          Tape& tape, const Tensor& grad_y) {
        Tensor grad = tape.empty(kept.shape(), kept.dtype());
        auto walk = [&](int64_t first, int64_t last) {
          for (int64_t row = first; row < last; ++row) {
            double seed = rows.counts(row) ? in(grad_y).load<double>(row) / normalizer : 0.0;
            for (int64_t c = 0; c < rows.width; ++c) {
              double slope = seed == 0 ? 0.0 : rows.term(kept, row, c).slope;
              out(grad).store(row * rows.width + c, seed * slope);
            }
          }
        };
        kernels::parallel_ranges(grad_y.count(), kCost * rows.width, walk);
        tape.accumulate(slot, std::move(grad));
      });
}

}  // namespace inlay
