#include "autograd/ops/example_scale.h"

#include <cmath>
#include <utility>

#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

int64_t offset(const RowSpace& rows, int64_t example) {
  return rows.example_offsets[static_cast<std::size_t>(example)];
}

// Rows of each example times its factor.
Tensor scaled(Tape& tape, const Tensor& x, const RowSpace& rows,
              const std::vector<double>& factors) {
  Tensor y = tape.empty_rows(x.shape(), x.dtype());
  for (int64_t e = 0; e < rows.examples(); ++e) {
    int64_t first = offset(rows, e), last = offset(rows, e + 1);
    if (first == last) continue;
    kernels::scale(in(x.rows(first, last)), factors[static_cast<std::size_t>(e)],
                   out(y.rows(first, last)), (last - first) * x.dim(1));
  }
  return y;
}

// sum of a * b over rows [first, last), in order, in double.
double dot_rows(const Tensor& a, const Tensor& b, int64_t first, int64_t last) {
  double sum = 0;
  kernels::Input left = in(a), right = in(b);
  for (int64_t i = first * a.dim(1); i < last * a.dim(1); ++i)
    sum += left.load<double>(i) * right.load<double>(i);
  return sum;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

std::vector<double> gates_of(const Tensor& scores, const RowSpace& rows) {
  std::vector<double> gates(static_cast<std::size_t>(rows.examples()));
  for (int64_t e = 0; e < rows.examples(); ++e) {
    int64_t first = offset(rows, e), last = offset(rows, e + 1);
    double sum = 0;
    for (int64_t t = first; t < last; ++t) sum += sigmoid(in(scores).load<double>(t));
    gates[static_cast<std::size_t>(e)] =
        sum / static_cast<double>(std::max<int64_t>(1, last - first));
  }
  return gates;
}

// d loss / d scores, from the gradient of the gated rows.
Tensor score_gradient(Tape& tape, const RowSpace& rows, const Tensor& grad_y, const Tensor& x,
                      const RowSpace& score_rows, const Tensor& scores) {
  Tensor grad = tape.empty_rows(scores.shape(), scores.dtype());
  kernels::Output dst = out(grad);
#pragma omp parallel for schedule(static)
  for (int64_t e = 0; e < rows.examples(); ++e) {
    double dot = dot_rows(grad_y, x, offset(rows, e), offset(rows, e + 1));
    int64_t first = offset(score_rows, e), last = offset(score_rows, e + 1);
    double share = dot / static_cast<double>(std::max<int64_t>(1, last - first));
    for (int64_t t = first; t < last; ++t) {
      double s = sigmoid(in(scores).load<double>(t));
      dst.store(t, share * s * (1 - s));
    }
  }
  return grad;
}

}  // namespace

Variable mean_gate(OpContext& context, const Variable& x, const Variable& scores) {
  const RowSpace* rows = x.row_space();
  const RowSpace* score_rows = scores.row_space();
  ensure(score_rows->examples() == rows->examples() && scores.channels() == 1,
         "scores of shape {} of {} examples for {}", scores.shape().text(), score_rows->examples(),
         rows->examples());
  std::vector<double> gates = gates_of(scores.value(), *score_rows);
  Tensor y = scaled(context.tape, x.value(), *rows, gates);
  return context.tape.record(
      std::move(y), rows, x.requires_grad() || scores.requires_grad(),
      [rows, score_rows, gates = std::move(gates), x_slot = x.slot(), score_slot = scores.slot(),
       kept = x.value(), kept_scores = scores.value()](Tape& tape, const Tensor& grad_y) {
        if (score_slot != nullptr) {
          tape.accumulate(score_slot,
                          score_gradient(tape, *rows, grad_y, kept, *score_rows, kept_scores));
        }
        if (x_slot != nullptr) tape.accumulate(x_slot, scaled(tape, grad_y, *rows, gates));
      });
}

Variable scale_examples(OpContext& context, const Variable& x, std::vector<double> factors) {
  const RowSpace* rows = x.row_space();
  ensure(static_cast<int64_t>(factors.size()) == rows->examples(), "{} factors for {} examples",
         factors.size(), rows->examples());
  Tensor y = scaled(context.tape, x.value(), *rows, factors);
  return context.tape.record(
      std::move(y), rows, x.requires_grad(),
      [rows, factors = std::move(factors), slot = x.slot()](Tape& tape, const Tensor& grad_y) {
        tape.accumulate(slot, scaled(tape, grad_y, *rows, factors));
      });
}

}  // namespace inlay
