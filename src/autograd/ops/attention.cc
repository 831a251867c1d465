#include "autograd/ops/attention.h"

#include <cstring>

#include "autograd/chunk_gradients.h"
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

std::span<std::byte> bytes_of(const Tensor& scratch) {
  return {scratch.mutable_raw(), scratch.byte_count()};
}

void run_backward(OpContext& context, const kernels::AttentionGradArgs& grads) {
  auto bytes = static_cast<int64_t>(kernels::attention_backward_scratch_bytes(grads.forward));
  Tensor scratch = context.tape.empty({bytes}, DType::kU8);
  kernels::attention_backward(grads, bytes_of(scratch));
}

// Sequences [first, last) of a backward pass as a batch of their own, whose offsets begin at zero.
class SequencePart {
 public:
  SequencePart(const kernels::AttentionGradArgs& whole, const Tensor& lse, std::size_t first,
               std::size_t last)
      : grads(whole),
        queries_(from_zero(whole.forward.query_offsets, first, last)),
        keys_(from_zero(whole.forward.key_offsets, first, last)) {
    kernels::AttentionArgs& forward = grads.forward;
    int64_t query = forward.query_offsets[first], key = forward.key_offsets[first];
    forward.query_offsets = queries_;
    forward.key_offsets = keys_;
    lse_ = Tensor::empty({lse.dim(0), queries_.back()}, lse.dtype());
    for (int64_t head = 0; head < lse.dim(0); ++head) {
      Tensor row = lse_.rows(head, head + 1);
      std::size_t skipped = static_cast<std::size_t>(query) * dtype_size(lse.dtype());
      std::memcpy(row.mutable_raw(), lse.rows(head, head + 1).raw() + skipped, row.byte_count());
    }
    forward.lse = lse_.mutable_raw();
    forward.q = at_row(forward.q, query, forward.q_stride);
    forward.k = at_row(forward.k, key, forward.k_stride);
    forward.v = at_row(forward.v, key, forward.v_stride);
    grads.out_grad = at_row(grads.out_grad, query, grads.out_grad_stride);
    grads.dq = const_cast<void*>(at_row(grads.dq, query, grads.dq_stride));
    grads.dk = const_cast<void*>(at_row(grads.dk, key, grads.dk_stride));
    grads.dv = const_cast<void*>(at_row(grads.dv, key, grads.dv_stride));
  }

  SequencePart(const SequencePart&) = delete;  // the arguments point into it
  SequencePart& operator=(const SequencePart&) = delete;

  kernels::AttentionGradArgs grads;

 private:
  static std::vector<int64_t> from_zero(std::span<const int64_t> offsets, std::size_t first,
                                        std::size_t last) {
    std::vector<int64_t> part(offsets.begin() + static_cast<std::ptrdiff_t>(first),
                              offsets.begin() + static_cast<std::ptrdiff_t>(last) + 1);
    for (int64_t& offset : part) offset -= offsets[first];
    return part;
  }
  const void* at_row(const void* base, int64_t row, int64_t stride) const {
    if (base == nullptr) return nullptr;
    return static_cast<const std::byte*>(base) +
           static_cast<std::size_t>(row * stride) * dtype_size(grads.forward.dtype);
  }

  std::vector<int64_t> queries_, keys_;
  Tensor lse_;
};

// A bias gets a partial gradient per chunk, as every parameter does, so each chunk is walked back
// by itself.
void run_backward_by_chunk(OpContext& context, kernels::AttentionGradArgs grads, const Tensor& lse,
                           Parameter& bias, std::size_t use, const RowSpace& rows) {
  grads.dbias_head_stride = grads.forward.bias_head_stride;
  grads.dbias_query_stride = grads.forward.bias_query_stride;
  std::span<const int64_t> offsets = grads.forward.query_offsets;
  std::size_t first = 0;
  for (std::size_t chunk = 1; chunk < rows.chunk_offsets.size(); ++chunk) {
    std::size_t last = first;
    while (last + 1 < offsets.size() && offsets[last + 1] <= rows.chunk_offsets[chunk]) ++last;
    ensure(offsets[last] == rows.chunk_offsets[chunk],
           "a gradient chunk ends at query {}, inside a sequence", rows.chunk_offsets[chunk]);
    Tensor dbias = Tensor::zeros(bias.shape(), bias.value().dtype(), context.tape.arena());
    grads.dbias = dbias.mutable_raw();
    run_backward(context, SequencePart(grads, lse, first, last).grads);
    if (!bias.frozen()) bias.tree(use).push(std::move(dbias));
    first = last;
  }
}

}  // namespace

Variable attention(OpContext& context, const Variable& q, const Variable& k, const Variable& v,
                   const std::vector<int64_t>& query_offsets,
                   const std::vector<int64_t>& key_offsets, const AttentionShape& shape,
                   Parameter* bias) {
  Tape& tape = context.tape;
  int64_t head_dim = q.channels() / shape.heads;
  ensure(q.channels() == shape.heads * head_dim && k.channels() == shape.kv_heads * head_dim &&
             v.shape() == k.shape() && q.dtype() == k.dtype() && q.dtype() == v.dtype() &&
             query_offsets.back() == q.rows() && key_offsets.back() == k.rows(),
         "attention with {} heads over q {}, k {}, v {} and offsets that end at {} and {}",
         shape.heads, q.shape().text(), k.shape().text(), v.shape().text(), query_offsets.back(),
         key_offsets.back());
  bool records = tape.recording() &&
                 (q.requires_grad() || k.requires_grad() || v.requires_grad() || bias != nullptr);
  Tensor y = tape.empty_rows(q.shape(), q.dtype());
  Tensor lse =
      records ? tape.empty({shape.heads, q.rows()}, context.dtype(Precision::kFull)) : Tensor();
  kernels::AttentionArgs args{.heads = shape.heads,
                              .kv_heads = shape.kv_heads,
                              .head_dim = head_dim,
                              .scale = shape.scale,
                              .causal = shape.causal,
                              .window = shape.window,
                              .soft_cap = shape.soft_cap,
                              .dtype = q.dtype(),
                              .query_offsets = query_offsets,
                              .key_offsets = key_offsets,
                              .q = q.value().raw(),
                              .k = k.value().raw(),
                              .v = v.value().raw(),
                              .out = y.mutable_raw(),
                              .q_stride = q.channels(),
                              .k_stride = k.channels(),
                              .v_stride = v.channels(),
                              .out_stride = y.dim(1)};
  if (bias != nullptr) {
    args.bias = bias->value().raw();
    args.bias_query_stride = bias->shape()[2];
    args.bias_head_stride = bias->shape()[1] * bias->shape()[2];
  }
  if (shape.key_bias.defined()) {
    ensure(bias == nullptr, "a key bias of {} beside a bias", shape.key_bias.shape().text());
    args.bias = shape.key_bias.raw();  // strides of 0: the same for all heads and queries
  }
  if (records) args.lse = lse.mutable_raw();
  Tensor scratch =
      tape.empty({static_cast<int64_t>(kernels::attention_scratch_bytes(args))}, DType::kU8);
  kernels::attention_forward(args, bytes_of(scratch));
  scratch = Tensor();
  context.useful_flops += 2 * product_flops(args);

  std::size_t bias_use = begin_use(context, bias);
  return tape.record(
      std::move(y), q.row_space(), records,
      [&context, args, lse, bias, bias_use, key_bias = shape.key_bias, rows = q.row_space(),
       q_slot = q.slot(), k_slot = k.slot(), v_slot = v.slot(), q_value = q.value(),
       k_value = k.value(), v_value = v.value()](Tape& tape, const Tensor& grad_y) {
        auto grad_of = [&](const Slot& slot) {
          return slot ? tape.empty_rows(slot->shape, slot->dtype) : Tensor();
        };
        Tensor dq = grad_of(q_slot), dk = grad_of(k_slot), dv = grad_of(v_slot);
        auto pointer = [](const Tensor& tensor) -> void* {
          return tensor.defined() ? tensor.mutable_raw() : nullptr;
        };
        kernels::AttentionGradArgs grads{.forward = args,
                                         .out_grad = grad_y.raw(),
                                         .out_grad_stride = grad_y.dim(1),
                                         .dq = pointer(dq),
                                         .dk = pointer(dk),
                                         .dv = pointer(dv),
                                         .dq_stride = q_value.dim(1),
                                         .dk_stride = k_value.dim(1),
                                         .dv_stride = v_value.dim(1)};
        if (bias != nullptr) {
          run_backward_by_chunk(context, grads, lse, *bias, bias_use, *rows);
        } else {
          run_backward(context, grads);
        }
        // dV, dP, dQ and dK; computing the scores again does not count.
        context.useful_flops += 4 * product_flops(args);
        if (q_slot != nullptr) tape.accumulate(q_slot, std::move(dq));
        if (k_slot != nullptr) tape.accumulate(k_slot, std::move(dk));
        if (v_slot != nullptr) tape.accumulate(v_slot, std::move(dv));
      });
}

}  // namespace inlay
