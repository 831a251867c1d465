#include "autograd/ops/rms_norm.h"

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/layer_norm.h"
#include "tensor/kernels/rms_norm.h"

namespace inlay {
namespace {

// What each channel is multiplied by.
Tensor factors_of(OpContext& context, const RmsNormWeights& weights) {
  DType full = context.dtype(Precision::kFull);
  Parameter* trained = weights.trained_weight;
  Tensor weight = trained != nullptr ? trained->value() : weights.weight;
  if (weight.dtype() != full) weight = weight.to(full, &context.arena);
  if (weights.offset == 0) return weight;
  Tensor sum = Tensor::empty(weight.shape(), full, &context.arena);
  for (int64_t c = 0; c < weight.count(); ++c)
    out(sum).store(c, in(weight).load<double>(c) + static_cast<double>(weights.offset));
  return sum;
}

}  // namespace

Variable rms_norm(OpContext& context, const Variable& x, const RmsNormWeights& weights) {
  Tape& tape = context.tape;
  DType full = context.dtype(Precision::kFull);
  Parameter* trained = weights.trained_weight;
  bool records = tape.recording() && (x.requires_grad() || trained != nullptr);
  Tensor weight = factors_of(context, weights);
  int64_t parts = weights.parts, channels = x.channels() / parts;
  ensure(weight.count() == channels && channels * parts == x.channels(),
         "a norm of {} channels over {} parts of {}", weight.count(), parts, x.shape().text());
  Tensor y = tape.empty_rows(x.shape(), context.dtype(weights.precision));
  bool narrows = context.compute == DType::kBF16 && weights.precision == Precision::kFull;
  Tensor narrow = narrows ? tape.empty_rows(x.shape(), context.compute) : Tensor();
  Tensor xhat = records ? tape.empty(x.shape(), context.compute) : Tensor();
  Tensor rstd = records ? tape.empty({x.rows() * parts}, full) : Tensor();
  kernels::rms_norm_forward({.rows = x.rows() * parts,
                             .channels = channels,
                             .epsilon = weights.eps,
                             .x = in(x.value()),
                             .weight = in(weight),
                             .y = out(y),
                             .y_copy = out(narrow),
                             .xhat = out(xhat),
                             .rstd = out(rstd)});
  std::size_t use = begin_use(context, trained);
  Variable result = tape.record(
      std::move(y), x.row_space(), records,
      [&context, trained, use, parts, channels, slot = x.slot(), rows = x.row_space(), weight, xhat,
       rstd](Tape& tape, const Tensor& grad_y) {
        if (trained != nullptr) {
          push_chunks_in_parallel(context, *trained, use, *rows,
                                  [&](int64_t first, int64_t last, const Tensor& leaf) {
                                    kernels::layer_norm_param_grad({.first = first * parts,
                                                                    .last = last * parts,
                                                                    .channels = channels,
                                                                    .grad_y = in(grad_y),
                                                                    .xhat = in(xhat),
                                                                    .grad_gamma = out(leaf)});
                                  });
        }
        if (slot == nullptr) return;
        Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
        kernels::rms_norm_backward({.rows = grad_y.dim(0) * parts,
                                    .channels = channels,
                                    .grad_y = in(grad_y),
                                    .xhat = in(xhat),
                                    .rstd = in(rstd),
                                    .weight = in(weight),
                                    .grad_x = out(grad_x)});
        tape.accumulate(slot, std::move(grad_x));
      });
  if (narrow.defined()) tape.set_narrow(result, std::move(narrow));
  return result;
}

}  // namespace inlay
