#include "autograd/ops/rescale.h"

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/rescale.h"

namespace inlay {
namespace {

// m / n - 1
Tensor gain_of(const Tensor& magnitude, const Tensor& length) {
  Tensor gain = Tensor::empty(magnitude.shape(), magnitude.dtype());
  for (int64_t i = 0; i < gain.count(); ++i) {
    double factor = in(magnitude).load<double>(i);
    if (length.defined()) factor /= in(length).load<double>(i);
    out(gain).store(i, factor - 1.0);
  }
  return gain;
}

void divide_in_place(const Tensor& values, const Tensor& length) {
  if (!length.defined()) return;
  for (int64_t i = 0; i < values.count(); ++i)
    out(values).store(i, in(values).load<double>(i) / in(length).load<double>(i));
}

Tensor rescaled(Tape& tape, const Tensor& y, const Tensor& centre, const Tensor& gain) {
  Tensor z = tape.empty_rows(y.shape(), y.dtype());
  kernels::rescale(in(y), in(centre), in(gain), out(z), y.dim(0), y.dim(1));
  return z;
}

}  // namespace

Variable rescale(OpContext& context, const Variable& y, Parameter& magnitude, const Tensor& centre,
                 const Tensor& length) {
  ensure(magnitude.value().count() == y.channels(), "a magnitude of shape {} for {} channels",
         magnitude.shape().text(), y.channels());
  DType full = context.dtype(Precision::kFull);
  Tensor middle = centre.defined() ? centre.to(full) : centre;
  Tensor gain = gain_of(magnitude.value(), length);
  std::size_t use = begin_use(context, &magnitude);
  return context.tape.record(
      rescaled(context.tape, y.value(), middle, gain), y.row_space(), true,
      [&context, &magnitude, use, slot = y.slot(), rows = y.row_space(), kept = y.value(), middle,
       gain, length](Tape& tape, const Tensor& grad) {
        push_chunks_in_parallel(
            context, magnitude, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              kernels::rescale_gain_grad({in(grad), in(kept), in(middle), kept.dim(1), first, last},
                                         out(leaf));
              divide_in_place(leaf, length);
            });
        if (slot != nullptr) tape.accumulate(slot, rescaled(tape, grad, Tensor(), gain));
      });
}

}  // namespace inlay
