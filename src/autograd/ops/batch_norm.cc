#include "autograd/ops/batch_norm.h"

#include <cmath>
#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "autograd/ops/folded_norm.h"
#include "tensor/kernels/batch_norm.h"
#include "tensor/kernels/column_sum.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

// A vector of channels in the type that kernels compute in.
Tensor in_full(OpContext& context, const Tensor& vector) {
  DType full = context.dtype(Precision::kFull);
  return vector.dtype() == full ? vector : vector.to(full, &context.arena);
}

// What rows are normalised by: (channels).
struct Moments {
  Tensor mean, rstd;
};

Tensor rstd_of(OpContext& context, const Tensor& variance, double eps) {
  Tensor rstd = context.tape.empty(variance.shape(), context.dtype(Precision::kFull));
  for (int64_t c = 0; c < rstd.count(); ++c)
    out(rstd).store(c, 1.0 / std::sqrt(in(variance).load<double>(c) + eps));
  return rstd;
}

Tensor batch_scratch(OpContext& context, int64_t rows, int64_t channels) {
  auto count = static_cast<int64_t>(kernels::batch_sums_scratch(rows, channels));
  return context.tape.empty({count}, DType::kF32);
}

std::span<float> numbers(const Tensor& scratch) {
  return {scratch.mutable_data<float>(), static_cast<std::size_t>(scratch.count())};
}

// The variance with rows - 1 for a divisor.
Tensor unbiased(const Tensor& variance, int64_t rows) {
  Tensor result = Tensor::empty(variance.shape(), variance.dtype());
  double factor = static_cast<double>(rows) / static_cast<double>(rows - 1);
  kernels::scale(in(variance), factor, out(result), variance.count());
  return result;
}

Moments moments_of_batch(OpContext& context, const Variable& x, const BatchNormWeights& weights) {
  DType full = context.dtype(Precision::kFull);
  require(x.rows() > 1, ErrorKind::kInput,
          "a batch norm is trained on {} places of a whole batch, which have no variance; use "
          "larger batches or images",
          x.rows());
  Tensor mean = context.tape.empty({x.channels()}, full);
  Tensor variance = context.tape.empty({x.channels()}, full);
  Tensor scratch = batch_scratch(context, x.rows(), x.channels());
  kernels::batch_moments({.rows = x.rows(),
                          .channels = x.channels(),
                          .src = in(x.value()),
                          .mean = out(mean),
                          .variance = out(variance)},
                         numbers(scratch));
  if (weights.seen != nullptr) *weights.seen = {mean.clone(), unbiased(variance, x.rows())};
  return {mean, rstd_of(context, variance, static_cast<double>(weights.eps))};
}

Moments moments_of(OpContext& context, const Variable& x, const BatchNormWeights& weights) {
  if (weights.batch_statistics) return moments_of_batch(context, x, weights);
  return {in_full(context, weights.mean),
          rstd_of(context, weights.variance, static_cast<double>(weights.eps))};
}

// dx of y = xhat gamma + beta; `factors` are gamma rstd.
Tensor input_gradient(OpContext& context, const Tensor& grad_y, const Tensor& xhat,
                      const Tensor& factors, bool batch_statistics, DType dtype) {
  int64_t rows = grad_y.dim(0), channels = grad_y.dim(1);
  Tensor grad_x = context.tape.empty_rows(grad_y.shape(), dtype);
  if (!batch_statistics) {
    kernels::scale_columns(in(grad_y), in(factors), out(grad_x), rows, channels);
    return grad_x;
  }
  Tensor scratch = batch_scratch(context, rows, channels);
  kernels::batch_norm_backward({.rows = rows,
                                .channels = channels,
                                .grad_y = in(grad_y),
                                .xhat = in(xhat),
                                .factors = in(factors),
                                .grad_x = out(grad_x)},
                               numbers(scratch));
  return grad_x;
}

void param_gradients(OpContext& context, const BatchNormWeights& weights, std::size_t gamma_use,
                     std::size_t beta_use, const RowSpace& rows, const Tensor& grad_y,
                     const Tensor& xhat) {
  int64_t channels = grad_y.dim(1);
  if (weights.trained_gamma != nullptr) {
    push_chunks_in_parallel(context, *weights.trained_gamma, gamma_use, rows,
                            [&](int64_t first, int64_t last, const Tensor& leaf) {
                              kernels::column_dot(in(grad_y), in(xhat), channels, first, last,
                                                  out(leaf));
                            });
  }
  if (weights.trained_beta != nullptr) {
    push_chunks_in_parallel(context, *weights.trained_beta, beta_use, rows,
                            [&](int64_t first, int64_t last, const Tensor& leaf) {
                              kernels::column_sum(in(grad_y), channels, first, last, out(leaf));
                            });
  }
}

// gamma rstd
Tensor factors_of(OpContext& context, const Tensor& gamma, const Tensor& rstd) {
  Tensor factors = context.tape.empty(rstd.shape(), rstd.dtype());
  kernels::multiply(in(gamma), in(rstd), out(factors), rstd.count());
  return factors;
}

const Tensor& gamma_of(const BatchNormWeights& weights) {
  return weights.trained_gamma != nullptr ? weights.trained_gamma->value() : weights.gamma;
}
const Tensor& beta_of(const BatchNormWeights& weights) {
  return weights.trained_beta != nullptr ? weights.trained_beta->value() : weights.beta;
}

void ensure_fit(const BatchNormWeights& weights, int64_t channels) {
  auto fits = [&](const Tensor& vector) { return vector.defined() && vector.count() == channels; };
  ensure(fits(gamma_of(weights)) && fits(beta_of(weights)) &&
             (weights.batch_statistics || (fits(weights.mean) && fits(weights.variance))),
         "the vectors of a batch norm of {} channels have other sizes, or some are absent",
         channels);
}

// y and, where it is wanted, xhat, by given statistics.
void normalise_folded(OpContext& context, const Tensor& x, const BatchNormWeights& weights,
                      const Tensor& y, const Tensor& xhat) {
  DType full = context.dtype(Precision::kFull);
  auto eps = static_cast<double>(weights.eps);
  auto apply = [&](const FoldedNorm& folded, const Tensor& dst) {
    kernels::channel_affine({.rows = x.dim(0),
                             .channels = x.dim(1),
                             .src = in(x),
                             .factors = in(folded.scale),
                             .addends = in(folded.shift),
                             .dst = out(dst)});
  };
  apply(folded_norm(weights.mean, weights.variance, eps, gamma_of(weights), beta_of(weights), full),
        y);
  if (!xhat.defined()) return;
  Tensor ones = Tensor::empty(weights.mean.shape(), full);
  for (int64_t c = 0; c < ones.count(); ++c) out(ones).store(c, 1.0);
  apply(folded_norm(weights.mean, weights.variance, eps, ones,
                    Tensor::zeros(weights.mean.shape(), full), full),
        xhat);
}

}  // namespace

std::optional<Clamp> clamp_of(kernels::Activation kind) {
  switch (kind) {
    case kernels::Activation::kRelu:
      return Clamp{.least = 0};
    case kernels::Activation::kRelu6:
      return Clamp{.least = 0, .most = 6};
    default:
      return std::nullopt;
  }
}

Variable channel_affine(OpContext& context, const Variable& x, const Tensor& scale,
                        const Tensor& shift, Precision precision, Clamp clamp) {
  ensure(scale.count() == x.channels() && shift.count() == x.channels(),
         "{} factors and {} addends for {} channels", scale.count(), shift.count(), x.channels());
  Tensor factors = in_full(context, scale);
  Tensor y = context.tape.empty_rows(x.shape(), context.dtype(precision));
  kernels::channel_affine({.rows = x.rows(),
                           .channels = x.channels(),
                           .src = in(x.value()),
                           .factors = in(factors),
                           .addends = in(in_full(context, shift)),
                           .dst = out(y),
                           .least = clamp.least,
                           .most = clamp.most});
  bool open = std::isinf(clamp.least) && std::isinf(clamp.most);
  Tensor kept = open ? Tensor() : y;
  return context.tape.record(
      std::move(y), x.row_space(), x.requires_grad(),
      [slot = x.slot(), factors, kept, clamp](Tape& tape, const Tensor& grad_y) {
        Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
        int64_t rows = grad_y.dim(0), channels = grad_y.dim(1);
        if (kept.defined()) {
          kernels::channel_affine_backward({.rows = rows,
                                            .channels = channels,
                                            .y = in(kept),
                                            .grad_y = in(grad_y),
                                            .factors = in(factors),
                                            .grad_x = out(grad_x),
                                            .least = clamp.least,
                                            .most = clamp.most});
        } else {
          kernels::scale_columns(in(grad_y), in(factors), out(grad_x), rows, channels);
        }
        tape.accumulate(slot, std::move(grad_x));
      });
}

Variable batch_norm(OpContext& context, const Variable& x, const BatchNormWeights& weights) {
  ensure_fit(weights, x.channels());
  Tape& tape = context.tape;
  Parameter *trained_gamma = weights.trained_gamma, *trained_beta = weights.trained_beta;
  bool trains = trained_gamma != nullptr || trained_beta != nullptr;
  bool records = tape.recording() && (x.requires_grad() || trains);
  Tensor gamma = in_full(context, gamma_of(weights)), beta = in_full(context, beta_of(weights));
  Moments moments = moments_of(context, x, weights);
  Tensor y = tape.empty_rows(x.shape(), context.dtype(weights.precision));
  Tensor xhat = records ? tape.empty(x.shape(), context.compute) : Tensor();
  if (weights.batch_statistics) {
    kernels::batch_norm_forward({.rows = x.rows(),
                                 .channels = x.channels(),
                                 .x = in(x.value()),
                                 .mean = in(moments.mean),
                                 .rstd = in(moments.rstd),
                                 .gamma = in(gamma),
                                 .beta = in(beta),
                                 .y = out(y),
                                 .xhat = out(xhat)});
  } else {
    normalise_folded(context, x.value(), weights, y, xhat);
  }
  Tensor factors = records ? factors_of(context, gamma, moments.rstd) : Tensor();
  std::size_t gamma_use = begin_use(context, trained_gamma);
  std::size_t beta_use = begin_use(context, trained_beta);
  return tape.record(std::move(y), x.row_space(), records,
                     [&context, weights, gamma_use, beta_use, slot = x.slot(), rows = x.row_space(),
                      xhat, factors](Tape& tape, const Tensor& grad_y) {
                       param_gradients(context, weights, gamma_use, beta_use, *rows, grad_y, xhat);
                       if (slot == nullptr) return;
                       tape.accumulate(slot, input_gradient(context, grad_y, xhat, factors,
                                                            weights.batch_statistics, slot->dtype));
                     });
}

}  // namespace inlay
