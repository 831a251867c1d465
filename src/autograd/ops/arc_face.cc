#include "autograd/ops/arc_face.h"

#include <algorithm>
#include <cmath>

#include "autograd/loss_seed.h"
#include "autograd/operands.h"
#include "autograd/ops/losses.h"
#include "tensor/kernels/cross_entropy.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

// Of a row that lies on its direction or opposite to it the slope has a pole, which the length of
// the cosine's own gradient, sin(theta), takes away again.
constexpr double kLeastSine = 1e-3;

// What stands for the cosine of a row's own class, and its slope.
class AngularMargin {
 public:
  explicit AngularMargin(double margin)
      : cosine_(std::cos(margin)), sine_(std::sin(margin)), fallback_(margin * std::sin(margin)) {}

  // cos(theta + m) = cos(theta) cos(m) - sin(theta) sin(m)
  double value(double cosine) const {
    double own = std::clamp(cosine, -1.0, 1.0);
    if (own < -cosine_) return own - fallback_;
    return own * cosine_ - std::sqrt(1 - own * own) * sine_;
  }
  double slope(double cosine) const {
    double own = std::clamp(cosine, -1.0, 1.0);
    if (own < -cosine_) return 1;
    return cosine_ + sine_ * own / std::max(kLeastSine, std::sqrt(1 - own * own));
  }

 private:
  double cosine_, sine_, fallback_;
};

// visit(element) for the cosine of each row's own class.
template <class Visit>
void for_each_own(const std::vector<int32_t>& classes, int64_t width, const Visit& visit) {
  for (std::size_t row = 0; row < classes.size(); ++row) {
    if (classes[row] != kIgnoredLabel) visit(static_cast<int64_t>(row) * width + classes[row]);
  }
}

void check_classes(const std::vector<int32_t>& classes, const Variable& cosines) {
  ensure(static_cast<int64_t>(classes.size()) == cosines.rows(), "{} classes for {} rows",
         classes.size(), cosines.rows());
  for (int32_t id : classes) {
    ensure(id == kIgnoredLabel || (id >= 0 && id < cosines.channels()), "class {} of {}", id,
           cosines.channels());
  }
}

}  // namespace

Variable arc_face_loss(OpContext& context, const Variable& cosines,
                       const std::vector<int32_t>& classes, double scale, double margin,
                       double normalizer) {
  check_classes(classes, cosines);
  AngularMargin angle(margin);
  DType full = context.dtype(Precision::kFull);
  Tensor logits = context.tape.empty(cosines.shape(), full);
  kernels::scale(in(cosines.value()), scale, out(logits), logits.count());
  for_each_own(classes, cosines.channels(), [&](int64_t own) {
    out(logits).store(own, scale * angle.value(in(cosines.value()).load<double>(own)));
  });
  kernels::CrossEntropy args{
      .rows = cosines.rows(), .classes = cosines.channels(), .targets = classes.data()};
  Tensor y = context.tape.empty({cosines.rows(), 1}, full);
  Tensor lse = context.tape.empty({cosines.rows()}, full);
  kernels::cross_entropy_forward(args, in(logits), out(y), out(lse));
  kernels::scale(in(y), 1.0 / normalizer, out(y), y.count());
  return context.tape.record(
      std::move(y), cosines.row_space(), cosines.requires_grad(),
      [slot = cosines.slot(), kept = cosines.value(), logits, lse, args, angle, &classes,
       factor = scale / normalizer](Tape& tape, const Tensor& grad_y) {
        Tensor grad = tape.empty_rows(kept.shape(), kept.dtype());
        for_each_seed(grad_y, [&](int64_t first, int64_t last, double seed) {
          kernels::CrossEntropy part = args;
          part.targets += first;
          part.rows = last - first;
          kernels::cross_entropy_backward(part, in(logits.rows(first, last)),
                                          in(lse.rows(first, last)), factor * seed,
                                          out(grad.rows(first, last)));
        });
        for_each_own(classes, kept.dim(1), [&](int64_t own) {
          double slope = angle.slope(in(kept).load<double>(own));
          out(grad).store(own, slope * in(grad).load<double>(own));
        });
        tape.accumulate(slot, std::move(grad));
      });
}

}  // namespace inlay
