#include "autograd/ops/scale.h"

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

double element(const Tensor& tensor) {
  return tensor.dtype() == DType::kF64 ? tensor.data<double>()[0]
                                       : static_cast<double>(tensor.data<float>()[0]);
}

// sum of a * b over rows [first, last), in order, in double.
double dot_rows(const Tensor& a, const Tensor& b, int64_t first, int64_t last) {
  double sum = 0;
  kernels::Input left = in(a), right = in(b);
  for (int64_t i = first * a.dim(1); i < last * a.dim(1); ++i)
    sum += left.load<double>(i) * right.load<double>(i);
  return sum;
}

}  // namespace

Variable scale(OpContext& context, const Variable& x, double factor) {
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  kernels::scale(in(x.value()), factor, out(y), y.count());
  return context.tape.record(std::move(y), x.row_space(), x.requires_grad(),
                             [slot = x.slot(), factor](Tape& tape, const Tensor& grad_y) {
                               Tensor grad_x = tape.empty_rows(grad_y.shape(), grad_y.dtype());
                               kernels::scale(in(grad_y), factor, out(grad_x), grad_x.count());
                               tape.accumulate(slot, std::move(grad_x));
                             });
}

Variable scale(OpContext& context, const Variable& x, Parameter& factor) {
  ensure(factor.value().count() == 1, "a factor of shape {}, not of one element",
         factor.shape().text());
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  kernels::scale(in(x.value()), element(factor.value()), out(y), y.count());
  std::size_t use = begin_use(context, &factor);
  return context.tape.record(
      std::move(y), x.row_space(), true,
      [&context, &factor, use, slot = x.slot(), rows = x.row_space(), kept = x.value()](
          Tape& tape, const Tensor& grad_y) {
        push_chunks_in_parallel(context, factor, use, *rows,
                                [&](int64_t first, int64_t last, const Tensor& leaf) {
                                  out(leaf).store(0, dot_rows(grad_y, kept, first, last));
                                });
        if (slot == nullptr) return;
        Tensor grad_x = tape.empty_rows(grad_y.shape(), grad_y.dtype());
        kernels::scale(in(grad_y), element(factor.value()), out(grad_x), grad_x.count());
        tape.accumulate(slot, std::move(grad_x));
      });
}

}  // namespace inlay
