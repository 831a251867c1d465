// What the f32 and the bf16 products of attention do alike with a block of scores (rows, keys).

#if defined(INLAY_KERNELS_ATTENTION_SCORES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef INLAY_KERNELS_ATTENTION_SCORES_INL_H_
#undef INLAY_KERNELS_ATTENTION_SCORES_INL_H_
#else
#define INLAY_KERNELS_ATTENTION_SCORES_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "tensor/kernels/attention_head.h"
#include "tensor/kernels/attention_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace inlay::kernels::HWY_NAMESPACE {

// Queries [first, first + rows) of one head, and the number of keys that any of them attends.
template <class Element>
struct QueryBlock {
  QueryBlock(const AttentionHead<Element>& head, std::size_t first)
      : head(head),
        first(first),
        rows(std::min(head.shape.query_block(), head.shape.queries - first)),
        keys(head.limit(first + rows - 1)) {}

  std::size_t limit(std::size_t i) const { return head.limit(first + i); }

  const AttentionHead<Element>& head;
  std::size_t first, rows, keys;
};

// Calls run(block) for every block of queries of one head.
template <class Element, class Run>
void for_each_block(const AttentionHead<Element>& head, const Run& run) {
  for (std::size_t first = 0; first < head.shape.queries; first += head.shape.query_block()) {
    run(QueryBlock<Element>(head, first));
  }
}

// What to multiply the scores of row i of a block with to get exponents of 2, after they were
// capped, the bias was added and keys before the window were taken out, where there are such.
// `slopes`, unless null, takes the derivatives of the cap.
template <class Element>
float exponent_unit(const QueryBlock<Element>& block, std::size_t i, float* scores, float* slopes) {
  const AttentionArgs& args = block.head.args;
  const bool capped = args.soft_cap > 0.0f;
  const float unit = capped ? kLog2E : args.scale * kLog2E;
  if (capped) soft_cap(args.scale, args.soft_cap, block.limit(i), scores, slopes);
  const bool in_place = args.bias != nullptr || unit <= 0.0f;
  if (in_place) {
    const float* bias = args.bias == nullptr ? nullptr : block.head.bias(block.first + i);
    apply_bias(bias, unit, block.limit(i), scores);
  }
  if (args.window > 0) {
    std::fill_n(scores, block.head.first_attended(block.first + i),
                -std::numeric_limits<float>::infinity());
  }
  return in_place ? 1.0f : unit;
}

// out / sum for every row, and the log-sum-exp of the rows.
template <class Element>
void write_outputs(const QueryBlock<Element>& block, const Panel& out, const float* largest,
                   const float* sum) {
  const AttentionArgs& args = block.head.args;
  for (std::size_t i = 0; i < block.rows; ++i) {
    write_row(out.row(i), block.head.shape.depth, sum[i] == 0.0f ? 0.0f : 1.0f / sum[i],
              block.head.query(args.out, args.out_stride, block.first + i));
  }
  if (args.lse != nullptr) {
    log_sum_exp(largest, sum, block.rows, block.head.statistics(args.lse) + block.first);
  }
}

// In place: scores -> P = 2^(unit S - log2(e) lse) and, unless dp has no data, dP -> dS = P (dP -
// sum(dP P)), times the slopes of the cap, for which `slopes` has room. dbias += dS without them.
template <class Element>
void score_gradients(const AttentionGradArgs& args, const QueryBlock<Element>& block,
                     const Panel& scores, const Panel& dp, float* slopes) {
  const float* lse = block.head.statistics(args.forward.lse) + block.first;
  for (std::size_t i = 0; i < block.rows; ++i) {
    const float unit = exponent_unit(block, i, scores.row(i), slopes);
    const float shift = std::isinf(lse[i]) ? 0.0f : lse[i] * kLog2E;
    float* row = dp.data == nullptr ? nullptr : dp.row(i);
    const float mean = probabilities(scores.row(i), row, unit, shift, block.limit(i), block.keys);
    if (row == nullptr) continue;
    score_gradient(scores.row(i), mean, block.keys, row);
    if (args.dbias != nullptr) {
      add_row(row, block.limit(i),
              static_cast<float*>(args.dbias) + block.head.head * args.dbias_head_stride +
                  static_cast<int64_t>(block.first + i) * args.dbias_query_stride);
    }
    if (args.forward.soft_cap > 0.0f) multiply_row(slopes, block.limit(i), row);
  }
}

inline bool needs_score_gradients(const AttentionGradArgs& args) {
  return args.dq != nullptr || args.dk != nullptr || args.dbias != nullptr;
}

// dq of a block, from dS K.
template <class Element>
void write_query_gradient(const AttentionGradArgs& args, const QueryBlock<Element>& block,
                          const Panel& dq) {
  for (std::size_t i = 0; i < block.rows; ++i) {
    write_row(dq.row(i), block.head.shape.depth, args.forward.scale,
              block.head.query(args.dq, args.dq_stride, block.first + i));
  }
}

// dk and dv of one key head, from dS^T Q and P^T dO.
template <class Element>
void write_key_gradients(const AttentionGradArgs& args, const AttentionHead<Element>& head,
                         const Panel& dk, const Panel& dv) {
  for (std::size_t j = 0; j < head.shape.keys; ++j) {
    const auto at = static_cast<int64_t>(j);
    if (args.dk != nullptr) {
      write_row(dk.row(j), head.shape.depth, args.forward.scale,
                head.key(args.dk, args.dk_stride) + at * args.dk_stride);
    }
    if (args.dv != nullptr) {
      write_row(dv.row(j), head.shape.depth, 1.0f,
                head.key(args.dv, args.dv_stride) + at * args.dv_stride);
    }
  }
}

}  // namespace inlay::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
