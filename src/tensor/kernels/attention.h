// Ragged multi-head attention, forward and backward, fused per (sequence, head): scores are never
// stored for the batch.
//
//   q (Tq, H*D), k and v (Tk, Hkv*D), out (Tq, H*D): row-major with a row stride, so that a fused
//   q|k|v may be given. Sequence b has queries [query_offsets[b], query_offsets[b+1]) and keys
//   [key_offsets[b], key_offsets[b+1]). Query head h reads key head h / (H / Hkv).
//
//   p_ij = softmax_j(cap(scale * q_i.k_j) + bias_hij),  out_i = sum_j p_ij v_j
//
// with cap(s) = soft_cap tanh(s / soft_cap), or s itself.
//
// Arithmetic is f32. For bf16 on a processor with AVX-512 BF16, products take bf16 operands (so
// probabilities and score gradients are rounded to bf16) and add in f32. Results are bitwise
// independent of the number of threads and of the other sequences in the batch.
//
//   AttentionArgs args{.heads = 12, .kv_heads = 12, .head_dim = 64, .scale = 0.125f};
//   args.q = ...;
//   scratch.resize(attention_scratch_bytes(args));
//   attention_forward(args, scratch);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace inlay::kernels {

// Strides count elements. "Statistics" (bias, lse) are f32, or f64 when dtype is kF64.
struct AttentionArgs {
  int64_t heads = 0;     // H
  int64_t kv_heads = 0;  // Hkv, a divisor of H
  int64_t head_dim = 0;  // D
  float scale = 1.0f;
  bool causal = false;        // query i of nq attends keys j <= i + nk - nq
  int64_t window = 0;         // causal only: the last so many of these keys; 0: all
  float soft_cap = 0.0f;      // 0: none
  DType dtype = DType::kF32;  // of q, k, v, out and their gradients: kF32, kBF16; kF64 runs the
                              // plain reference

  std::span<const int64_t> query_offsets;  // B + 1, ascending
  std::span<const int64_t> key_offsets;    // B + 1, ascending

  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* out = nullptr;  // forward only
  int64_t q_stride = 0;
  int64_t k_stride = 0;
  int64_t v_stride = 0;
  int64_t out_stride = 0;

  // Optional (H, max_q, max_k), the same for every sequence and indexed by position in it; -inf
  // masks. A head stride of 0 shares it between heads.
  const void* bias = nullptr;
  int64_t bias_head_stride = 0;
  int64_t bias_query_stride = 0;

  // (H, Tq) with Tq = query_offsets.back(): log of the sum of exponentials of a row's scores, -inf
  // where a query attends nothing. Written by forward when not null, read by backward.
  void* lse = nullptr;
};

// A gradient that is null is not computed. Rows of every sequence are written; rows outside the
// offsets are left alone.
struct AttentionGradArgs {
  AttentionArgs forward;  // as given to forward; `out` is not read

  const void* out_grad = nullptr;  // (Tq, H*D)
  int64_t out_grad_stride = 0;

  void* dq = nullptr;  // (Tq, H*D)
  void* dk = nullptr;  // (Tk, Hkv*D)
  void* dv = nullptr;  // (Tk, Hkv*D)
  int64_t dq_stride = 0;
  int64_t dk_stride = 0;
  int64_t dv_stride = 0;

  // (H, max_q, max_k), a statistic: added to, sequence after sequence. REQUIRES: heads do not share
  // elements.
  void* dbias = nullptr;
  int64_t dbias_head_stride = 0;
  int64_t dbias_query_stride = 0;
};

// Bytes of scratch for the present number of threads, for forward and for backward. Depends on the
// longest sequence, not on the batch.
std::size_t attention_scratch_bytes(const AttentionArgs& args);
std::size_t attention_backward_scratch_bytes(const AttentionArgs& args);

// Out rows of queries that attend nothing are zeros. Fewer bytes of scratch than asked for, down to
// one thread's part, mean fewer threads. The kernels allocate nothing.
void attention_forward(const AttentionArgs& args, std::span<std::byte> scratch);
void attention_backward(const AttentionGradArgs& args, std::span<std::byte> scratch);

}  // namespace inlay::kernels
