// Attention over one (sequence, key head) of bf16 with bf16 products: AVX-512 BF16 multiplies pairs
// of neighbours along the summed dimension and adds both to an f32, twice the rate of f32 products.
// Operands are panels of pairs, each an f32 wide; probabilities and score gradients are rounded to
// bf16, everything else is as in attention_f32-inl.h.
//
//   a, by rows:      (rows, depth) bf16 as it is, pairs along a row
//   b, or a^T:       row k of the panel holds rows 2k and 2k + 1 interleaved: x[2k][0] x[2k+1][0]
//   x[2k][1] x[2k+1][1] ... odd depths end in zeros
//
// Highway 1.0.3 has no name for these instructions, so they are written out, and called only where
// the processor says that it has them.

#if defined(INLAY_KERNELS_ATTENTION_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ATTENTION_PAIRS_INL_H_
#undef INLAY_KERNELS_ATTENTION_PAIRS_INL_H_
#else
#define INLAY_KERNELS_ATTENTION_PAIRS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "tensor/kernels/attention_rows-inl.h"
#include "tensor/kernels/attention_scores-inl.h"
#include "tensor/kernels/attention_tile-inl.h"

#if HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatVector = hn::Vec<hn::ScalableTag<float>>;
using PairVector = hn::Vec<hn::ScalableTag<uint16_t>>;

inline bool has_pair_products() { return __builtin_cpu_supports("avx512bf16") != 0; }

// sum + left[2i] right[2i] + left[2i + 1] right[2i + 1]
struct PairDot {
  static HWY_INLINE FloatVector add(FloatVector left, FloatVector right, FloatVector sum) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(left.raw), "v"(right.raw));
    return sum;
  }
};

// 16 of `low`, then 16 of `high`, rounded to nearest even.
HWY_INLINE PairVector round_to_bf16(FloatVector low, FloatVector high) {
  PairVector rounded;
  asm("vcvtne2ps2bf16 %1, %2, %0" : "=v"(rounded.raw) : "v"(low.raw), "v"(high.raw));
  return rounded;
}

constexpr std::size_t pairs(std::size_t count) { return (count + 1) / 2; }

// dst (pairs(depth), rows) = src^T in pairs along the depth, src (rows, depth).
inline void pack_pairs_transposed(const BFloat16* src, std::size_t src_stride, std::size_t rows,
                                  std::size_t depth, const Panel& dst) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<uint16_t> d16;
  write_transposed(rows, pairs(depth), dst, [&](std::size_t row, std::size_t c) HWY_ATTR {
    if (c == 0 && row + kRowsAhead < rows)
      prefetch_row(src + (row + kRowsAhead) * src_stride, depth);
    const auto* from = reinterpret_cast<const uint16_t*>(src + row * src_stride + 2 * c);
    if (2 * c + hn::Lanes(d16) <= depth) return hn::BitCast(d, hn::LoadU(d16, from));
    HWY_ALIGN uint16_t buffer[hn::MaxLanes(d16)] = {};
    std::copy_n(from, depth - 2 * c, buffer);
    return hn::BitCast(d, hn::Load(d16, buffer));
  });
}

// Sixteen elements of a row, or its last ones and zeros, as the lower halves of 32 bits.
HWY_INLINE hn::Vec<hn::ScalableTag<uint32_t>> load_halves(const BFloat16* row, std::size_t c,
                                                          std::size_t width) {
  const hn::ScalableTag<uint32_t> d32;
  const hn::Rebind<uint16_t, decltype(d32)> d16;
  const auto* from = reinterpret_cast<const uint16_t*>(row + c);
  if (c + hn::Lanes(d16) <= width) return hn::PromoteTo(d32, hn::LoadU(d16, from));
  HWY_ALIGN uint16_t buffer[hn::MaxLanes(d16)] = {};
  std::copy_n(from, width - c, buffer);
  return hn::PromoteTo(d32, hn::Load(d16, buffer));
}

// dst (pairs(rows), width): rows two by two, interleaved.
inline void pack_pairs(const BFloat16* src, std::size_t src_stride, std::size_t rows,
                       std::size_t width, const Panel& dst) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<uint32_t> d32;
  for (std::size_t i = 0; i < rows; i += 2, src += 2 * src_stride) {
    for (std::size_t ahead = i + kRowsAhead; ahead < std::min(i + kRowsAhead + 2, rows); ++ahead) {
      prefetch_row(src + (ahead - i) * src_stride, width);
    }
    for (std::size_t c = 0; c < width; c += hn::Lanes(d)) {
      auto both = load_halves(src, c, width);
      if (i + 1 < rows)
        both = hn::Or(both, hn::ShiftLeft<16>(load_halves(src + src_stride, c, width)));
      hn::StoreU(hn::BitCast(d, both), d, dst.row(i / 2) + c);
    }
  }
}

// dst (rows, width) as it is, with zeros up to a whole vector.
inline void copy_bf16_rows(const BFloat16* src, std::size_t src_stride, std::size_t rows,
                           std::size_t width, const Panel& dst) {
  const hn::ScalableTag<uint32_t> d32;
  const hn::Rebind<uint16_t, decltype(d32)> d16;
  for (std::size_t i = 0; i < rows; ++i, src += src_stride) {
    if (i + kRowsAhead < rows) prefetch_row(src + kRowsAhead * src_stride, width);
    auto* to = reinterpret_cast<uint16_t*>(dst.row(i));
    for (std::size_t c = 0; c < width; c += hn::Lanes(d16)) {
      hn::StoreU(hn::TruncateTo(d16, load_halves(src, c, width)), d16, to + c);
    }
  }
}

// Rows i and i + 1 of f32 panels, rounded: interleaved into row i / 2 of `pairs`, and, where
// by_rows has data, each as a row of its own there. An odd last row is paired with zeros.
inline void round_rows(const Panel& src, std::size_t rows, std::size_t width,
                       const Panel& interleaved, const Panel& by_rows) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<uint16_t> d16;
  const hn::Half<decltype(d16)> half;
  HWY_ALIGN static constexpr uint16_t kOrder[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                    21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                    11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const PairVector order = hn::Load(d16, kOrder);
  for (std::size_t i = 0; i < rows; i += 2) {
    const bool last = i + 1 == rows;
    for (std::size_t j = 0; j < width; j += hn::Lanes(d)) {
      const auto high = last ? hn::Zero(d) : hn::LoadU(d, src.row(i + 1) + j);
      const auto rounded = round_to_bf16(hn::LoadU(d, src.row(i) + j), high);
      const PairVector interleaved_halves{_mm512_permutexvar_epi16(order.raw, rounded.raw)};
      hn::StoreU(hn::BitCast(d, interleaved_halves), d, interleaved.row(i / 2) + j);
      if (by_rows.data == nullptr) continue;
      hn::StoreU(hn::LowerHalf(half, rounded), half,
                 reinterpret_cast<uint16_t*>(by_rows.row(i)) + j);
      if (!last) {
        hn::StoreU(hn::UpperHalf(half, rounded), half,
                   reinterpret_cast<uint16_t*>(by_rows.row(i + 1)) + j);
      }
    }
  }
}

inline void forward_block_of_pairs(const QueryBlock<BFloat16>& block,
                                   const PairForwardPanels& panels) {
  const hn::ScalableTag<float> d;
  const hn::Half<hn::ScalableTag<uint16_t>> half;
  const AttentionArgs& args = block.head.args;
  const std::size_t depth = block.head.shape.depth;
  copy_bf16_rows(block.head.query(args.q, args.q_stride, block.first),
                 static_cast<std::size_t>(args.q_stride), block.rows, depth, panels.queries);
  multiply<Left::kRows, Into::kOverwrite, PairDot>(
      panels.queries, panels.keys_transposed, block.rows, block.keys, pairs(depth), panels.scores);
  for (std::size_t i = 0; i < block.rows; ++i) {
    float* scores = panels.scores.row(i);
    auto* p_row = reinterpret_cast<uint16_t*>(panels.p.row(i));
    const float unit = exponent_unit(block, i, scores, nullptr);
    const RowSum row = softmax_row(
        scores, unit, block.limit(i), block.keys, [&](FloatVector p, std::size_t j) HWY_ATTR {
          hn::StoreU(hn::LowerHalf(half, round_to_bf16(p, hn::Zero(d))), half, p_row + j);
        });
    panels.largest[i] = row.largest;
    panels.sum[i] = row.sum;
  }
  multiply<Left::kRows, Into::kOverwrite, PairDot>(panels.p, panels.values, block.rows, depth,
                                                   pairs(block.keys), panels.out);
  write_outputs(block, panels.out, panels.largest, panels.sum);
}

inline void forward_sequence_of_pairs(const AttentionArgs& args, AttentionItem item,
                                      float* scratch) {
  const int64_t group = args.heads / args.kv_heads;
  const AttentionHead<BFloat16> key_head(args, item.sequence, item.kv_head * group);
  const SequenceShape& shape = key_head.shape;
  ScratchLayout layout(scratch);
  const PairForwardPanels panels(layout, shape);
  pack_pairs_transposed(key_head.key(args.k, args.k_stride),
                        static_cast<std::size_t>(args.k_stride), shape.keys, shape.depth,
                        panels.keys_transposed);
  pack_pairs(key_head.key(args.v, args.v_stride), static_cast<std::size_t>(args.v_stride),
             shape.keys, shape.depth, panels.values);
  for (int64_t h = 0; h < group; ++h) {
    const AttentionHead<BFloat16> head(args, item.sequence, item.kv_head * group + h);
    for_each_block(
        head, [&](const QueryBlock<BFloat16>& block) { forward_block_of_pairs(block, panels); });
  }
}

inline void pack_query_pairs(const AttentionGradArgs& args, const QueryBlock<BFloat16>& block,
                             const PairBackwardPanels& panels) {
  const AttentionArgs& forward = args.forward;
  const std::size_t depth = block.head.shape.depth;
  const BFloat16* q = block.head.query(forward.q, forward.q_stride, block.first);
  const BFloat16* grad = block.head.query(args.out_grad, args.out_grad_stride, block.first);
  const auto q_stride = static_cast<std::size_t>(forward.q_stride);
  const auto grad_stride = static_cast<std::size_t>(args.out_grad_stride);
  copy_bf16_rows(q, q_stride, block.rows, depth, panels.queries);
  pack_pairs(q, q_stride, block.rows, depth, panels.query_pairs);
  copy_bf16_rows(grad, grad_stride, block.rows, depth, panels.out_grad);
  pack_pairs(grad, grad_stride, block.rows, depth, panels.out_grad_pairs);
}

inline void backward_block_of_pairs(const AttentionGradArgs& args,
                                    const QueryBlock<BFloat16>& block, PairBackwardPanels panels) {
  const std::size_t depth = block.head.shape.depth;
  pack_query_pairs(args, block, panels);
  multiply<Left::kRows, Into::kOverwrite, PairDot>(panels.queries, panels.keys_transposed,
                                                   block.rows, block.keys, pairs(depth), panels.p);
  if (needs_score_gradients(args)) {
    multiply<Left::kRows, Into::kOverwrite, PairDot>(
        panels.out_grad, panels.values_transposed, block.rows, block.keys, pairs(depth), panels.dp);
  } else {
    panels.dp.data = nullptr;
  }
  score_gradients(args, block, panels.p, panels.dp, panels.slopes);
  if (args.dv != nullptr) {
    round_rows(panels.p, block.rows, block.keys, panels.p_pairs, Panel());
    multiply<Left::kColumns, Into::kAdd, PairDot>(panels.p_pairs, panels.out_grad_pairs, block.keys,
                                                  depth, pairs(block.rows), panels.dv);
  }
  if (args.dq == nullptr && args.dk == nullptr) return;
  round_rows(panels.dp, block.rows, block.keys, panels.ds_pairs, panels.ds);
  if (args.dk != nullptr) {
    multiply<Left::kColumns, Into::kAdd, PairDot>(panels.ds_pairs, panels.query_pairs, block.keys,
                                                  depth, pairs(block.rows), panels.dk);
  }
  if (args.dq == nullptr) return;
  multiply<Left::kRows, Into::kOverwrite, PairDot>(panels.ds, panels.key_pairs, block.rows, depth,
                                                   pairs(block.keys), panels.dq);
  write_query_gradient(args, block, panels.dq);
}

inline void pack_key_pairs(const AttentionGradArgs& args, const AttentionHead<BFloat16>& head,
                           const PairBackwardPanels& panels) {
  const AttentionArgs& forward = args.forward;
  const auto [queries, keys, depth] = head.shape;
  const BFloat16* k = head.key(forward.k, forward.k_stride);
  const auto k_stride = static_cast<std::size_t>(forward.k_stride);
  pack_pairs_transposed(k, k_stride, keys, depth, panels.keys_transposed);
  pack_pairs_transposed(head.key(forward.v, forward.v_stride),
                        static_cast<std::size_t>(forward.v_stride), keys, depth,
                        panels.values_transposed);
  if (args.dq != nullptr) pack_pairs(k, k_stride, keys, depth, panels.key_pairs);
  std::fill_n(panels.dk.data, keys * panels.dk.stride, 0.0f);
  std::fill_n(panels.dv.data, keys * panels.dv.stride, 0.0f);
}

inline void backward_sequence_of_pairs(const AttentionGradArgs& args, AttentionItem item,
                                       float* scratch) {
  const AttentionArgs& forward = args.forward;
  const int64_t group = forward.heads / forward.kv_heads;
  const AttentionHead<BFloat16> key_head(forward, item.sequence, item.kv_head * group);
  ScratchLayout layout(scratch);
  const PairBackwardPanels panels(layout, key_head.shape);
  pack_key_pairs(args, key_head, panels);
  for (int64_t h = 0; h < group; ++h) {
    const AttentionHead<BFloat16> head(forward, item.sequence, item.kv_head * group + h);
    for_each_block(head, [&](const QueryBlock<BFloat16>& block) {
      backward_block_of_pairs(args, block, panels);
    });
  }
  write_key_gradients(args, key_head, panels.dk, panels.dv);
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // HWY_TARGET == HWY_AVX3

#endif
