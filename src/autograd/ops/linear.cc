#include "autograd/ops/linear.h"

#include <algorithm>
#include <cstring>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/column_sum.h"
#include "tensor/kernels/convert.h"
#include "tensor/kernels/few_rows.h"
#include "tensor/kernels/matmul_reference.h"

namespace inlay {
namespace {

const Tensor* bias_of(const LinearWeights& weights) {
  if (weights.bias != nullptr) return &weights.bias->value();
  return weights.frozen != nullptr && weights.frozen->has_bias() ? &weights.frozen->bias()
                                                                 : nullptr;
}

// Every product here multiplies (rows, in), (in, out) and (rows, out) in some order.
void count_product(OpContext& context, int64_t rows, const LinearWeights& weights) {
  context.useful_flops += 2.0 * static_cast<double>(rows) * static_cast<double>(weights.in()) *
                          static_cast<double>(weights.out());
}

// dst (rows, out) = src (rows, in) W^T + b in float64, for gradient checks.
void exact_forward(const Tensor& src, const LinearWeights& weights, const Tensor& dst) {
  const Tensor& weight =
      weights.weight != nullptr ? weights.weight->value() : weights.frozen->exact();
  kernels::matmul_reference_nt(src.data<double>(), weight.data<double>(), src.dim(0), weight.dim(0),
                               weight.dim(1), dst.mutable_data<double>());
  const Tensor* bias = bias_of(weights);
  if (bias == nullptr) return;
  Tensor wide = bias->to(DType::kF64);
  for (int64_t i = 0; i < dst.count(); ++i)
    dst.mutable_data<double>()[i] += wide.data<double>()[i % dst.dim(1)];
}

constexpr int64_t kFewRows = 8;

// Whether these rows are few enough, and the weight is stored so that it can be read as it is.
bool takes_stored_weight(const OpContext& context, int64_t rows, const LinearWeights& weights) {
  if (!context.generating || context.compute == DType::kF64 || rows > kFewRows) return false;
  if (weights.weight == nullptr && weights.frozen->is_quantised()) return false;
  DType stored = weights.weight != nullptr ? DType::kF32 : weights.frozen->weight().dtype();
  return stored == DType::kF32 || stored == DType::kBF16;
}

void stored_product(OpContext& context, const Tensor& src, const LinearWeights& weights,
                    const Tensor& dst) {
  Tensor x = src.dtype() == DType::kF32 ? src : src.to(DType::kF32, &context.arena);
  Tensor y =
      dst.dtype() == DType::kF32 ? dst : Tensor::empty(dst.shape(), DType::kF32, &context.arena);
  const Tensor* bias = bias_of(weights);
  bool trained = weights.weight != nullptr;
  kernels::few_rows({.rows = src.dim(0),
                     .in = weights.in(),
                     .out = weights.out(),
                     .in_by_out = !trained && weights.frozen->layout() == onednn::Layout::kInOut,
                     .x = x.data<float>(),
                     .weight = in(trained ? weights.weight->value() : weights.frozen->weight()),
                     .bias = bias != nullptr ? bias->data<float>() : nullptr,
                     .y = y.mutable_data<float>()});
  if (dst.dtype() == DType::kF32) return;
  kernels::convert(y.raw(), DType::kF32, dst.mutable_raw(), dst.dtype(), dst.count());
}

void forward_product(OpContext& context, const Tensor& src, const LinearWeights& weights,
                     const Tensor& dst) {
  count_product(context, src.dim(0), weights);
  if (context.compute == DType::kF64) return exact_forward(src, weights, dst);
  if (takes_stored_weight(context, src.dim(0), weights))
    return stored_product(context, src, weights, dst);
  const Tensor* bias = bias_of(weights);
  const onednn::PackedMatrix& packed =
      weights.weight != nullptr ? weights.weight->forward(context.compute, context.weights)
                                : weights.frozen->forward(context.compute, context.weights);
  context.runtime.matmul({.src = src.raw(),
                          .rows = src.dim(0),
                          .spare_rows = std::min(src.spare_rows(), dst.spare_rows()),
                          .dst = dst.mutable_raw(),
                          .dst_dtype = dst.dtype(),
                          .bias = bias != nullptr ? bias->data<float>() : nullptr},
                         packed);
}

// dst (rows, in) = src (rows, out) W.
void backward_product(OpContext& context, const Tensor& src, const LinearWeights& weights,
                      const Tensor& dst) {
  count_product(context, src.dim(0), weights);
  if (context.compute == DType::kF64) {
    const Tensor& weight =
        weights.weight != nullptr ? weights.weight->value() : weights.frozen->exact();
    kernels::matmul_reference_nn(src.data<double>(), weight.data<double>(), src.dim(0),
                                 weight.dim(1), weight.dim(0), dst.mutable_data<double>());
    return;
  }
  const onednn::PackedMatrix& packed =
      weights.weight != nullptr ? weights.weight->backward(context.compute, context.weights)
                                : weights.frozen->backward(context.compute, context.weights);
  context.runtime.matmul({.src = src.raw(),
                          .rows = src.dim(0),
                          .spare_rows = std::min(src.spare_rows(), dst.spare_rows()),
                          .dst = dst.mutable_raw(),
                          .dst_dtype = dst.dtype()},
                         packed);
}

// dW (out, in) = dy^T x over the rows of each chunk.
void weight_gradient(OpContext& context, Parameter& weight, std::size_t use, const RowSpace& rows,
                     const Tensor& dy, const Tensor& x) {
  push_chunks_in_turn(
      context, weight, use, rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
        if (first == last) {  // no product of nothing
          std::memset(leaf.mutable_raw(), 0, leaf.byte_count());
          return;
        }
        Tensor dy_rows = dy.rows(first, last), x_rows = x.rows(first, last);
        if (context.compute == DType::kF64) {
          kernels::matmul_reference_tn(dy_rows.data<double>(), x_rows.data<double>(), last - first,
                                       dy.dim(1), x.dim(1), leaf.mutable_data<double>());
        } else {
          context.runtime.matmul_transposed(dy_rows.raw(), x_rows.raw(), context.compute,
                                            last - first, dy.dim(1), x.dim(1),
                                            leaf.mutable_data<float>());
        }
      });
}

}  // namespace

Variable linear(OpContext& context, const Variable& x, const LinearWeights& weights,
                Precision precision) {
  ensure(x.channels() == weights.in(), "a linear layer of {} inputs was given {} channels",
         weights.in(), x.channels());
  Tensor src = context.tape.value_as(x, context.compute);
  Tensor y = context.tape.empty_rows({x.rows(), weights.out()}, context.dtype(precision));
  forward_product(context, src, weights, y);

  bool trains = weights.weight != nullptr || weights.bias != nullptr;
  std::size_t weight_use = begin_use(context, weights.weight);
  std::size_t bias_use = begin_use(context, weights.bias);
  Tensor kept = weights.weight != nullptr ? src : Tensor();
  DType x_dtype = x.dtype();
  return context.tape.record(
      std::move(y), x.row_space(), x.requires_grad() || trains,
      [&context, weights, slot = x.slot(), rows = x.row_space(), kept, x_dtype, weight_use,
       bias_use](Tape& tape, const Tensor& grad_y) {
        Tensor dy =
            grad_y.dtype() == context.compute ? grad_y : grad_y.to(context.compute, &context.arena);
        if (slot != nullptr) {
          Tensor dx = tape.empty_rows({dy.dim(0), weights.in()}, x_dtype);
          backward_product(context, dy, weights, dx);
          tape.accumulate(slot, std::move(dx));
        }
        if (weights.weight != nullptr) count_product(context, dy.dim(0), weights);
        if (weights.weight != nullptr)
          weight_gradient(context, *weights.weight, weight_use, *rows, dy, kept);
        if (weights.bias != nullptr) {
          push_chunks_in_parallel(context, *weights.bias, bias_use, *rows,
                                  [&](int64_t first, int64_t last, const Tensor& leaf) {
                                    kernels::column_sum(in(grad_y), grad_y.dim(1), first, last,
                                                        out(leaf));
                                  });
        }
      });
}

Tensor times_frozen(OpContext& context, const Tensor& rows, const FrozenWeight& weight) {
  ensure(rows.dim(1) == weight.in(), "rows of {} for a weight of {} inputs", rows.dim(1),
         weight.in());
  Tensor product =
      context.tape.empty_rows({rows.dim(0), weight.out()}, context.dtype(Precision::kFull));
  context.useful_flops +=
      2.0 * static_cast<double>(rows.count()) * static_cast<double>(weight.out());
  Tensor src = rows.to(context.compute, &context.arena);
  if (context.compute == DType::kF64) {
    kernels::matmul_reference_nt(src.data<double>(), weight.exact().data<double>(), src.dim(0),
                                 weight.out(), weight.in(), product.mutable_data<double>());
    return product;
  }
  context.runtime.matmul({.src = src.raw(),
                          .rows = src.dim(0),
                          .spare_rows = std::min(src.spare_rows(), product.spare_rows()),
                          .dst = product.mutable_raw(),
                          .dst_dtype = product.dtype()},
                         weight.forward(context.compute, context.weights));
  return product;
}

}  // namespace inlay
