#include "autograd/ops/layer_norm.h"

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/column_sum.h"
#include "tensor/kernels/layer_norm.h"

namespace inlay {
namespace {

// gamma or beta in the type that the kernel computes in.
Tensor norm_vector(OpContext& context, const Tensor& frozen, const Parameter* trained) {
  if (trained != nullptr) return trained->value();
  return context.compute == DType::kF64 ? frozen.to(DType::kF64, &context.arena) : frozen;
}

void param_gradients(OpContext& context, const NormWeights& weights, std::size_t gamma_use,
                     std::size_t beta_use, const RowSpace& rows, const Tensor& grad_y,
                     const Tensor& xhat) {
  int64_t channels = grad_y.dim(1);
  if (weights.trained_gamma != nullptr) {
    auto write = [&](int64_t first, int64_t last, const Tensor& leaf) {
      kernels::layer_norm_param_grad({.first = first,
                                      .last = last,
                                      .channels = channels,
                                      .grad_y = in(grad_y),
                                      .xhat = in(xhat),
                                      .grad_gamma = out(leaf)});
    };
    push_chunks_in_parallel(context, *weights.trained_gamma, gamma_use, rows, write);
  }
  if (weights.trained_beta != nullptr) {
    auto write = [&](int64_t first, int64_t last, const Tensor& leaf) {
      kernels::column_sum(in(grad_y), channels, first, last, out(leaf));
    };
    push_chunks_in_parallel(context, *weights.trained_beta, beta_use, rows, write);
  }
}

}  // namespace

Variable layer_norm(OpContext& context, const Variable& x, const Variable& residual,
                    const NormWeights& weights) {
  ensure(!residual.defined() || residual.shape() == x.shape(),
         "a residual of shape {} is added to {} in a norm",
         residual.defined() ? residual.shape().text() : "", x.shape().text());
  Tape& tape = context.tape;
  int64_t rows = x.rows(), channels = x.channels();
  bool trains = weights.trained_gamma != nullptr || weights.trained_beta != nullptr;
  bool residual_grad = residual.defined() && residual.requires_grad();
  bool records = tape.recording() && (x.requires_grad() || residual_grad || trains);
  DType full = context.dtype(Precision::kFull);
  bool narrows = context.compute == DType::kBF16;

  Tensor gamma = norm_vector(context, weights.gamma, weights.trained_gamma);
  Tensor beta = norm_vector(context, weights.beta, weights.trained_beta);
  Tensor y = tape.empty_rows({rows, channels}, full);
  Tensor narrow = narrows ? tape.empty_rows({rows, channels}, context.compute) : Tensor();
  Tensor xhat = records ? tape.empty({rows, channels}, context.compute) : Tensor();
  Tensor rstd = records ? tape.empty({rows}, full) : Tensor();
  kernels::layer_norm_forward(
      {.rows = rows,
       .channels = channels,
       .epsilon = weights.eps,
       .x = in(x.value()),
       .residual = residual.defined() ? in(residual.value()) : kernels::Input(),
       .gamma = in(gamma),
       .beta = in(beta),
       .y = out(y),
       .y_copy = out(narrow),
       .xhat = out(xhat),
       .rstd = out(rstd)});

  std::size_t gamma_use = begin_use(context, weights.trained_gamma);
  std::size_t beta_use = begin_use(context, weights.trained_beta);
  const RowSpace* space = x.row_space();
  const Slot& x_slot = x.slot();
  Slot residual_slot = residual.defined() ? residual.slot() : Slot();
  Variable result = tape.record(
      std::move(y), space, records,
      [&context, weights, x_slot, residual_slot, space, gamma, xhat, rstd, gamma_use, beta_use](
          Tape& tape, const Tensor& grad_y) {
        param_gradients(context, weights, gamma_use, beta_use, *space, grad_y, xhat);
        if (x_slot == nullptr && residual_slot == nullptr) return;
        auto grad_as = [&](DType dtype) { return tape.empty_rows(grad_y.shape(), dtype); };
        DType first = x_slot != nullptr ? x_slot->dtype : residual_slot->dtype;
        Tensor grad = grad_as(first);
        bool differs =
            x_slot != nullptr && residual_slot != nullptr && residual_slot->dtype != first;
        Tensor copy = differs ? grad_as(residual_slot->dtype) : Tensor();
        kernels::layer_norm_backward({.rows = grad_y.dim(0),
                                      .channels = grad_y.dim(1),
                                      .grad_y = in(grad_y),
                                      .xhat = in(xhat),
                                      .rstd = in(rstd),
                                      .gamma = in(gamma),
                                      .grad_x = out(grad),
                                      .grad_x_copy = out(copy)});
        tape.accumulate(x_slot, grad);
        tape.accumulate(residual_slot, differs ? copy : grad);
      });
  if (narrows) tape.set_narrow(result, std::move(narrow));
  return result;
}

}  // namespace inlay
