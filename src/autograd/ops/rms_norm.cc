#include "autograd/ops/rms_norm.h"

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/layer_norm.h"
#include "tensor/kernels/rms_norm.h"

namespace inlay {

Variable rms_norm(OpContext& context, const Variable& x, const RmsNormWeights& weights) {
  Tape& tape = context.tape;
  DType full = context.dtype(Precision::kFull);
  Parameter* trained = weights.trained_weight;
  bool records = tape.recording() && (x.requires_grad() || trained != nullptr);
  Tensor weight = trained != nullptr ? trained->value() : weights.weight;
  if (weight.dtype() != full) weight = weight.to(full, &context.arena);
  Tensor y = tape.empty_rows(x.shape(), full);
  Tensor narrow =
      context.compute == DType::kBF16 ? tape.empty_rows(x.shape(), context.compute) : Tensor();
  Tensor xhat = records ? tape.empty(x.shape(), context.compute) : Tensor();
  Tensor rstd = records ? tape.empty({x.rows()}, full) : Tensor();
  kernels::rms_norm_forward({.rows = x.rows(),
                             .channels = x.channels(),
                             .epsilon = weights.eps,
                             .x = in(x.value()),
                             .weight = in(weight),
                             .y = out(y),
                             .y_copy = out(narrow),
                             .xhat = out(xhat),
                             .rstd = out(rstd)});
  std::size_t use = begin_use(context, trained);
  Variable result = tape.record(std::move(y), x.row_space(), records,
                                [&context, trained, use, slot = x.slot(), rows = x.row_space(),
                                 weight, xhat, rstd](Tape& tape, const Tensor& grad_y) {
                                  if (trained != nullptr) {
                                    push_chunks_in_parallel(
                                        context, *trained, use, *rows,
                                        [&](int64_t first, int64_t last, const Tensor& leaf) {
                                          kernels::layer_norm_param_grad({.first = first,
                                                                          .last = last,
                                                                          .channels = grad_y.dim(1),
                                                                          .grad_y = in(grad_y),
                                                                          .xhat = in(xhat),
                                                                          .grad_gamma = out(leaf)});
                                        });
                                  }
                                  if (slot == nullptr) return;
                                  Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
                                  kernels::rms_norm_backward({.rows = grad_y.dim(0),
                                                              .channels = grad_y.dim(1),
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
