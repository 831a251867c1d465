// Attention over one (sequence, key head) with products in f32: operands are widened into panels
// first.

#if defined(INLAY_KERNELS_ATTENTION_F32_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ATTENTION_F32_INL_H_
#undef INLAY_KERNELS_ATTENTION_F32_INL_H_
#else
#define INLAY_KERNELS_ATTENTION_F32_INL_H_
#endif

#include <algorithm>
#include <cstddef>

#include "tensor/kernels/attention_rows-inl.h"
#include "tensor/kernels/attention_scores-inl.h"
#include "tensor/kernels/attention_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

template <class Element>
void forward_block(const QueryBlock<Element>& block, const ForwardPanels& panels) {
  const hn::ScalableTag<float> d;
  const AttentionArgs& args = block.head.args;
  const std::size_t depth = block.head.shape.depth;
  copy_rows(block.head.query(args.q, args.q_stride, block.first),
            static_cast<std::size_t>(args.q_stride), block.rows, depth, panels.queries);
  multiply<Left::kRows>(panels.queries, panels.keys_transposed, block.rows, block.keys, depth,
                        panels.scores);
  for (std::size_t i = 0; i < block.rows; ++i) {
    float* scores = panels.scores.row(i);
    const float unit = exponent_unit(block, i, scores, nullptr);
    const RowSum row = softmax_row(scores, unit, block.limit(i), block.keys,
                                   [&](hn::Vec<decltype(d)> p, std::size_t j)
                                       HWY_ATTR { hn::StoreU(p, d, scores + j); });
    panels.largest[i] = row.largest;
    panels.sum[i] = row.sum;
  }
  multiply<Left::kRows>(panels.scores, panels.values, block.rows, depth, block.keys, panels.out);
  write_outputs(block, panels.out, panels.largest, panels.sum);
}

template <class Element>
void forward_sequence(const AttentionArgs& args, AttentionItem item, float* scratch) {
  const int64_t group = args.heads / args.kv_heads;
  const AttentionHead<Element> key_head(args, item.sequence, item.kv_head * group);
  const SequenceShape& shape = key_head.shape;
  ScratchLayout layout(scratch);
  const ForwardPanels panels(layout, shape);
  copy_transposed(key_head.key(args.k, args.k_stride), static_cast<std::size_t>(args.k_stride),
                  shape.keys, shape.depth, panels.keys_transposed);
  copy_rows(key_head.key(args.v, args.v_stride), static_cast<std::size_t>(args.v_stride),
            shape.keys, shape.depth, panels.values);
  for (int64_t h = 0; h < group; ++h) {
    const AttentionHead<Element> head(args, item.sequence, item.kv_head * group + h);
    for_each_block(head, [&](const QueryBlock<Element>& block) { forward_block(block, panels); });
  }
}

template <class Element>
void backward_block(const AttentionGradArgs& args, const QueryBlock<Element>& block,
                    BackwardPanels panels) {
  const AttentionArgs& forward = args.forward;
  const std::size_t depth = block.head.shape.depth;
  copy_rows(block.head.query(forward.q, forward.q_stride, block.first),
            static_cast<std::size_t>(forward.q_stride), block.rows, depth, panels.queries);
  copy_rows(block.head.query(args.out_grad, args.out_grad_stride, block.first),
            static_cast<std::size_t>(args.out_grad_stride), block.rows, depth, panels.out_grad);
  multiply<Left::kRows>(panels.queries, panels.keys_transposed, block.rows, block.keys, depth,
                        panels.p);
  if (needs_score_gradients(args)) {
    multiply<Left::kRows>(panels.out_grad, panels.values_transposed, block.rows, block.keys, depth,
                          panels.dp);
  } else {
    panels.dp.data = nullptr;
  }
  score_gradients(args, block, panels.p, panels.dp, panels.slopes);
  if (args.dv != nullptr) {
    multiply<Left::kColumns, Into::kAdd>(panels.p, panels.out_grad, block.keys, depth, block.rows,
                                         panels.dv);
  }
  if (args.dk != nullptr) {
    multiply<Left::kColumns, Into::kAdd>(panels.dp, panels.queries, block.keys, depth, block.rows,
                                         panels.dk);
  }
  if (args.dq == nullptr) return;
  multiply<Left::kRows>(panels.dp, panels.keys, block.rows, depth, block.keys, panels.dq);
  write_query_gradient(args, block, panels.dq);
}

template <class Element>
void pack_keys(const AttentionGradArgs& args, const AttentionHead<Element>& head,
               const BackwardPanels& panels) {
  const AttentionArgs& forward = args.forward;
  const auto [queries, keys, depth] = head.shape;
  const Element* k = head.key(forward.k, forward.k_stride);
  const auto k_stride = static_cast<std::size_t>(forward.k_stride);
  copy_transposed(k, k_stride, keys, depth, panels.keys_transposed);
  copy_transposed(head.key(forward.v, forward.v_stride), static_cast<std::size_t>(forward.v_stride),
                  keys, depth, panels.values_transposed);
  if (args.dq != nullptr) copy_rows(k, k_stride, keys, depth, panels.keys);
  std::fill_n(panels.dk.data, keys * panels.dk.stride, 0.0f);
  std::fill_n(panels.dv.data, keys * panels.dv.stride, 0.0f);
}

template <class Element>
void backward_sequence(const AttentionGradArgs& args, AttentionItem item, float* scratch) {
  const AttentionArgs& forward = args.forward;
  const int64_t group = forward.heads / forward.kv_heads;
  const AttentionHead<Element> key_head(forward, item.sequence, item.kv_head * group);
  ScratchLayout layout(scratch);
  const BackwardPanels panels(layout, key_head.shape);
  pack_keys(args, key_head, panels);
  for (int64_t h = 0; h < group; ++h) {
    const AttentionHead<Element> head(forward, item.sequence, item.kv_head * group + h);
    for_each_block(head,
                   [&](const QueryBlock<Element>& block) { backward_block(args, block, panels); });
  }
  write_key_gradients(args, key_head, panels.dk, panels.dv);
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
