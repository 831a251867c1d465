#include "autograd/ops/lora.h"

#include "autograd/chunk_gradients.h"
#include "tensor/kernels/low_rank.h"

namespace inlay {
namespace {

using kernels::FactorLayout;

Tensor scratch_for(OpContext& context, int64_t channels, int64_t rank) {
  return context.tape.empty({static_cast<int64_t>(kernels::low_rank_scratch_bytes(channels, rank))},
                            DType::kU8);
}

std::span<std::byte> bytes_of(const Tensor& scratch) {
  return {scratch.mutable_raw(), scratch.byte_count()};
}

void count_product(OpContext& context, int64_t rows, int64_t channels, int64_t rank) {
  context.useful_flops +=
      2.0 * static_cast<double>(rows) * static_cast<double>(channels) * static_cast<double>(rank);
}

// src (rows, channels) -> (rows, r)
Tensor project(OpContext& context, const Tensor& src, const Tensor& factor, FactorLayout layout,
               float scale) {
  int64_t rank = factor.dim(layout == FactorLayout::kRankByChannel ? 0 : 1);
  Tensor u = context.tape.empty({src.dim(0), rank}, factor.dtype());
  count_product(context, src.dim(0), src.dim(1), rank);
  Tensor scratch = scratch_for(context, src.dim(1), rank);
  kernels::low_rank_project({.rows = src.dim(0),
                             .channels = src.dim(1),
                             .rank = rank,
                             .scale = scale,
                             .dtype = src.dtype(),
                             .layout = layout,
                             .x = src.raw(),
                             .x_stride = src.dim(1),
                             .factor = factor.raw(),
                             .u = u.mutable_raw()},
                            bytes_of(scratch));
  return u;
}

// dst (rows, channels) += scale * u (rows, r) * factor
void expand_add(OpContext& context, const Tensor& u, const Tensor& factor, FactorLayout layout,
                float scale, const Tensor& dst) {
  Tensor scratch = scratch_for(context, dst.dim(1), u.dim(1));
  count_product(context, u.dim(0), dst.dim(1), u.dim(1));
  kernels::low_rank_expand_add({.rows = u.dim(0),
                                .channels = dst.dim(1),
                                .rank = u.dim(1),
                                .scale = scale,
                                .dtype = dst.dtype(),
                                .layout = layout,
                                .u = u.raw(),
                                .factor = factor.raw(),
                                .y = dst.mutable_raw(),
                                .y_stride = dst.dim(1)},
                               bytes_of(scratch));
}

// The gradient of a factor, per chunk: scale * u^T x, laid out as the factor is.
void factor_gradient(OpContext& context, Parameter& factor, std::size_t use, const RowSpace& rows,
                     FactorLayout layout, const Tensor& x, const Tensor& u, float scale) {
  count_product(context, x.dim(0), x.dim(1), u.dim(1));
  push_chunks_in_parallel(context, factor, use, rows,
                          [&](int64_t first, int64_t last, const Tensor& leaf) {
                            kernels::low_rank_weight_grad({.rows = last - first,
                                                           .channels = x.dim(1),
                                                           .rank = u.dim(1),
                                                           .scale = scale,
                                                           .dtype = x.dtype(),
                                                           .layout = layout,
                                                           .x = x.rows(first, last).raw(),
                                                           .x_stride = x.dim(1),
                                                           .u = u.rows(first, last).raw(),
                                                           .factor_grad = leaf.mutable_raw()});
                          });
}

}  // namespace

Variable lora(OpContext& context, Variable y, const Variable& x, Parameter& a, Parameter& b,
              float scale, TrainedFactors trained) {
  ensure(a.shape()[1] == x.channels() && b.shape()[0] == y.channels() &&
             a.shape()[0] == b.shape()[1] && x.rows() == y.rows(),
         "a low-rank update with A {} and B {} from {} to {}", a.shape().text(), b.shape().text(),
         x.shape().text(), y.shape().text());
  Tensor src = context.tape.value_as(x, context.compute);
  Tensor u = project(context, src, a.value(), FactorLayout::kRankByChannel, 1.0f);
  Tensor out = y.unshared() ? y.value() : y.value().clone(&context.arena);
  expand_add(context, u, b.value(), FactorLayout::kChannelByRank, scale, out);

  std::size_t a_use = begin_use(context, trained.a ? &a : nullptr);
  std::size_t b_use = begin_use(context, trained.b ? &b : nullptr);
  const RowSpace* rows = x.row_space();
  Slot y_slot = y.slot();
  y = Variable();
  bool needed = trained.a || trained.b || y_slot != nullptr || x.requires_grad();
  return context.tape.record(
      std::move(out), rows, needed,
      [&context, &a, &b, a_use, b_use, rows, scale, trained, y_slot, x_slot = x.slot(), src, u](
          Tape& tape, const Tensor& dy) {
        Tensor du;
        if (trained.a || x_slot != nullptr)
          du = project(context, dy, b.value(), FactorLayout::kChannelByRank, scale);
        if (trained.b)
          factor_gradient(context, b, b_use, *rows, FactorLayout::kChannelByRank, dy, u, scale);
        if (trained.a)
          factor_gradient(context, a, a_use, *rows, FactorLayout::kRankByChannel, src, du, 1.0f);
        if (x_slot != nullptr) {
          expand_add(context, du, a.value(), FactorLayout::kRankByChannel, 1.0f,
                     tape.grad_to_add_into(x_slot));
        }
        tape.accumulate(y_slot, dy);
      });
}

Variable low_rank_add(OpContext& context, Variable y, const Variable& u, Parameter& b,
                      float scale) {
  ensure(b.shape()[0] == y.channels() && b.shape()[1] == u.channels() && u.rows() == y.rows() &&
             u.dtype() == b.value().dtype(),
         "a low-rank update with u {} and B {} to {}", u.shape().text(), b.shape().text(),
         y.shape().text());
  Tensor kept = u.value();
  Tensor out = y.unshared() ? y.value() : y.value().clone(&context.arena);
  expand_add(context, kept, b.value(), FactorLayout::kChannelByRank, scale, out);
  std::size_t use = begin_use(context, &b);
  const RowSpace* rows = y.row_space();
  Slot y_slot = y.slot();
  y = Variable();
  return context.tape.record(
      std::move(out), rows, true,
      [&context, &b, use, rows, scale, y_slot, u_slot = u.slot(), kept](Tape& tape,
                                                                        const Tensor& dy) {
        factor_gradient(context, b, use, *rows, FactorLayout::kChannelByRank, dy, kept, scale);
        if (u_slot != nullptr)
          tape.accumulate(u_slot,
                          project(context, dy, b.value(), FactorLayout::kChannelByRank, scale));
        tape.accumulate(y_slot, dy);
      });
}

}  // namespace inlay
