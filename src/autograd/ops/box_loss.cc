#include "autograd/ops/box_loss.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "autograd/operands.h"

namespace inlay {
namespace {

// Left, top, right, bottom: sides s and s + 2 are opposite, s % 2 is their axis.
using Sides = std::array<double, 4>;

Sides sides_at(const Tensor& rows, int64_t row) {
  Sides sides{};
  for (std::size_t s = 0; s < sides.size(); ++s)
    sides[s] = in(rows).load<double>(4 * row + static_cast<int64_t>(s));
  return sides;
}

double length(const Sides& sides, std::size_t axis) { return sides[axis] + sides[axis + 2]; }
double area(const Sides& sides) { return length(sides, 0) * length(sides, 1); }

// Both boxes hold the place that their sides are measured from, so what they have in common, and
// the least box around them, are given by sides as well.
class Pair {
 public:
  Pair(const Sides& found, const Sides& wanted) : found_(found), wanted_(wanted) {
    for (std::size_t s = 0; s < found.size(); ++s) {
      inner_[s] = std::min(found[s], wanted[s]);
      outer_[s] = std::max(found[s], wanted[s]);
    }
    common_ = area(inner_);
    united_ = area(found) + area(wanted) - common_;
    hull_ = area(outer_);
  }

  // 1 - GIoU, where GIoU = I / U - (C - U) / C.
  double loss() const { return 2 - common_ / united_ - united_ / hull_; }

  // Of the loss, by side s of the found box. Where both boxes have that side it counts neither as
  // common nor as the hull's, so that all slopes are 0 where the boxes are the same.
  double slope(std::size_t s) const {
    std::size_t other = 1 - s % 2;
    double by_common = found_[s] < wanted_[s] ? length(inner_, other) : 0.0;
    double by_hull = found_[s] > wanted_[s] ? length(outer_, other) : 0.0;
    double by_united = length(found_, other) - by_common;
    double by_overlap = (by_common - common_ / united_ * by_united) / united_;
    double by_filling = (by_united - united_ / hull_ * by_hull) / hull_;
    return -by_overlap - by_filling;
  }

 private:
  Sides found_, wanted_, inner_{}, outer_{};
  double common_ = 0, united_ = 0, hull_ = 0;  // I, U and C
};

}  // namespace

Variable giou_loss(OpContext& context, const Variable& distances, const Tensor& wanted,
                   const std::vector<float>& weights, double normalizer) {
  bool fit = distances.channels() == 4 && wanted.shape() == distances.shape() &&
             static_cast<int64_t>(weights.size()) == distances.rows();
  ensure(fit, "{} weights and distances of shape {} for boxes of shape {}; expected (rows, 4)",
         weights.size(), distances.shape().text(), wanted.shape().text());
  Tensor y = context.tape.empty({distances.rows(), 1}, context.dtype(Precision::kFull));
  for (int64_t row = 0; row < y.count(); ++row) {
    double weight = weights[static_cast<std::size_t>(row)] / normalizer;
    Sides found = sides_at(distances.value(), row);
    out(y).store(row, weight == 0 ? 0.0 : weight * Pair(found, sides_at(wanted, row)).loss());
  }
  return context.tape.record(std::move(y), distances.row_space(), distances.requires_grad(),
                             [slot = distances.slot(), kept = distances.value(), wanted, weights,
                              normalizer](Tape& tape, const Tensor& grad_y) {
                               Tensor grad = tape.empty(kept.shape(), kept.dtype());
                               for (int64_t row = 0; row < grad_y.count(); ++row) {
                                 double weight =
                                     weights[static_cast<std::size_t>(row)] / normalizer;
                                 double seed = weight * in(grad_y).load<double>(row);
                                 Pair pair(sides_at(kept, row), sides_at(wanted, row));
                                 for (std::size_t s = 0; s < 4; ++s) {
                                   double slope = seed == 0 ? 0.0 : seed * pair.slope(s);
                                   out(grad).store(4 * row + static_cast<int64_t>(s), slope);
                                 }
                               }
                               tape.accumulate(slot, std::move(grad));
                             });
}

Variable exponential(OpContext& context, const Variable& x) {
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  for (int64_t i = 0; i < y.count(); ++i)
    out(y).store(i, std::exp(std::min(in(x.value()).load<double>(i), kMostExponent)));
  Tensor kept = y;
  return context.tape.record(
      std::move(y), x.row_space(), x.requires_grad(),
      [slot = x.slot(), x = x.value(), kept](Tape& tape, const Tensor& grad_y) {
        Tensor grad = tape.empty_rows(kept.shape(), kept.dtype());
        for (int64_t i = 0; i < kept.count(); ++i) {
          bool rises = in(x).load<double>(i) <= kMostExponent;
          double slope = rises ? in(kept).load<double>(i) : 0;
          out(grad).store(i, in(grad_y).load<double>(i) * slope);
        }
        tape.accumulate(slot, std::move(grad));
      });
}

}  // namespace inlay
