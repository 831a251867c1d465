#include "autograd/ops/attention.h"

#include "tensor/kernels/attention.h"

namespace inlay {
namespace {

// Of one product over the scores: queries times keys times head size, over all heads and sequences.
double product_flops(const kernels::AttentionArgs& args) {
  double pairs = 0;
  for (std::size_t b = 0; b + 1 < args.query_offsets.size(); ++b) {
    pairs += static_cast<double>(args.query_offsets[b + 1] - args.query_offsets[b]) *
             static_cast<double>(args.key_offsets[b + 1] - args.key_offsets[b]);
  }
  return 2.0 * pairs * static_cast<double>(args.heads * args.head_dim) * (args.causal ? 0.5 : 1.0);
}

std::span<std::byte> bytes_of(const Tensor& scratch) { return {scratch.mutable_raw(), scratch.byte_count()}; }

}  // namespace

Variable attention(OpContext& context, const Variable& q, const Variable& k, const Variable& v,
                   const std::vector<int64_t>& query_offsets, const std::vector<int64_t>& key_offsets,
                   const AttentionShape& shape, Parameter* bias) {
  Tape& tape = context.tape;
  int64_t head_dim = q.channels() / shape.heads;
  ensure(q.channels() == shape.heads * head_dim && k.channels() == shape.kv_heads * head_dim &&
             v.shape() == k.shape() && q.dtype() == k.dtype() && q.dtype() == v.dtype(),
         "attention with {} heads over q {}, k {}, v {}", shape.heads, q.shape().text(), k.shape().text(),
         v.shape().text());
  bool records = tape.recording() && (q.requires_grad() || k.requires_grad() || v.requires_grad() || bias != nullptr);
  Tensor y = tape.empty(q.shape(), q.dtype());
  Tensor lse = records ? tape.empty({shape.heads, q.rows()}, context.dtype(Precision::kFull)) : Tensor();
  kernels::AttentionArgs args{.heads = shape.heads, .kv_heads = shape.kv_heads, .head_dim = head_dim,
                              .scale = shape.scale, .causal = shape.causal, .dtype = q.dtype(),
                              .query_offsets = query_offsets, .key_offsets = key_offsets,
                              .q = q.value().raw(), .k = k.value().raw(), .v = v.value().raw(),
                              .out = y.mutable_raw(), .q_stride = q.channels(), .k_stride = k.channels(),
                              .v_stride = v.channels(), .out_stride = y.dim(1)};
  if (bias != nullptr) {
    args.bias = bias->value().raw();
    args.bias_query_stride = bias->shape()[2];
    args.bias_head_stride = bias->shape()[1] * bias->shape()[2];
  }
  if (records) args.lse = lse.mutable_raw();
  Tensor scratch = tape.empty({static_cast<int64_t>(kernels::attention_scratch_bytes(args))}, DType::kU8);
  kernels::attention_forward(args, bytes_of(scratch));
  scratch = Tensor();
  context.useful_flops += 2 * product_flops(args);

  std::size_t bias_use = bias != nullptr ? bias->begin_use(context.forward) : 0;
  return tape.record(
      std::move(y), q.row_space(), records,
      [&context, args, lse, bias, bias_use, q_slot = q.slot(), k_slot = k.slot(), v_slot = v.slot(), q_value = q.value(),
       k_value = k.value(), v_value = v.value()](Tape& tape, const Tensor& grad_y) {
        auto grad_of = [&](const Slot& slot) { return slot ? tape.empty(slot->shape, slot->dtype) : Tensor(); };
        Tensor dq = grad_of(q_slot), dk = grad_of(k_slot), dv = grad_of(v_slot);
        auto pointer = [](const Tensor& tensor) -> void* { return tensor.defined() ? tensor.mutable_raw() : nullptr; };
        kernels::AttentionGradArgs grads{.forward = args, .out_grad = grad_y.raw(), .out_grad_stride = grad_y.dim(1),
                                         .dq = pointer(dq), .dk = pointer(dk), .dv = pointer(dv),
                                         .dq_stride = q_value.dim(1), .dk_stride = k_value.dim(1),
                                         .dv_stride = v_value.dim(1)};
        Tensor dbias;
        if (bias != nullptr) {
          dbias = Tensor::zeros(bias->shape(), bias->value().dtype(), tape.arena());
          grads.dbias = dbias.mutable_raw();
          grads.dbias_head_stride = args.bias_head_stride;
          grads.dbias_query_stride = args.bias_query_stride;
        }
        Tensor scratch =
            tape.empty({static_cast<int64_t>(kernels::attention_backward_scratch_bytes(args))}, DType::kU8);
        kernels::attention_backward(grads, bytes_of(scratch));
        // dV, dP, dQ and dK; computing the scores again does not count.
        context.useful_flops += 4 * product_flops(args);
        if (q_slot != nullptr) tape.accumulate(q_slot, std::move(dq));
        if (k_slot != nullptr) tape.accumulate(k_slot, std::move(dk));
        if (v_slot != nullptr) tape.accumulate(v_slot, std::move(dv));
        if (bias != nullptr) bias->tree(bias_use).push(std::move(dbias));
      });
}

}  // namespace inlay
