// How one thread's scratch is laid out for attention over one (sequence, key head).
//
//   ScratchLayout layout(scratch);
//   BackwardPanels panels(layout, {.queries = nq, .keys = nk, .depth = d});
#pragma once

#include <algorithm>
#include <cstddef>

#include "tensor/kernels/panel.h"

namespace inlay::kernels {

struct SequenceShape {
  std::size_t queries;
  std::size_t keys;
  std::size_t depth;  // D

  // Queries that are worked on at once: as many as let their scores stay in the first cache levels.
  // A function of this sequence alone, as it decides where sums over queries are cut.
  std::size_t query_block() const {
    const std::size_t fitting = 8192 / std::max<std::size_t>(keys, 1) / 8 * 8;
    return std::min(std::clamp<std::size_t>(fitting, 16, 64), queries);
  }
  // Transposed panels are written in whole vectors of rows.
  std::size_t depth_rows() const { return (depth + 15) / 16 * 16; }
};

struct ForwardPanels {
  ForwardPanels(ScratchLayout& layout, const SequenceShape& shape)
      : keys_transposed(layout.panel(shape.depth_rows(), shape.keys)),
        values(layout.panel(shape.keys, shape.depth)),
        queries(layout.panel(shape.query_block(), shape.depth)),
        scores(layout.panel(shape.query_block(), shape.keys)),
        out(layout.panel(shape.query_block(), shape.depth)),
        largest(layout.vector(shape.query_block())),
        sum(layout.vector(shape.query_block())) {}

  Panel keys_transposed;  // (D, nk)
  Panel values;           // (nk, D)
  Panel queries;          // (block, D)
  Panel scores;           // (block, nk), then probabilities times their sum
  Panel out;              // (block, D)
  float* largest;         // (block)
  float* sum;             // (block)
};

struct BackwardPanels {
  BackwardPanels(ScratchLayout& layout, const SequenceShape& shape)
      : keys_transposed(layout.panel(shape.depth_rows(), shape.keys)),
        values_transposed(layout.panel(shape.depth_rows(), shape.keys)),
        keys(layout.panel(shape.keys, shape.depth)),
        dk(layout.panel(shape.keys, shape.depth)),
        dv(layout.panel(shape.keys, shape.depth)),
        queries(layout.panel(shape.query_block(), shape.depth)),
        out_grad(layout.panel(shape.query_block(), shape.depth)),
        dq(layout.panel(shape.query_block(), shape.depth)),
        p(layout.panel(shape.query_block(), shape.keys)),
        dp(layout.panel(shape.query_block(), shape.keys)),
        slopes(layout.vector(shape.keys)) {}

  Panel keys_transposed;    // (D, nk)
  Panel values_transposed;  // (D, nk)
  Panel keys;               // (nk, D)
  Panel dk;                 // (nk, D), divided by scale
  Panel dv;                 // (nk, D)
  Panel queries;            // (block, D)
  Panel out_grad;           // (block, D)
  Panel dq;                 // (block, D), divided by scale
  Panel p;                  // (block, nk): scores, then probabilities
  Panel dp;                 // (block, nk): gradients of probabilities, then of scores
  float* slopes;            // (nk): of the soft cap, at one query's scores
};

// The same for products of bf16 pairs; a panel row of n pairs is as wide as one of n f32.
struct PairForwardPanels {
  PairForwardPanels(ScratchLayout& layout, const SequenceShape& shape)
      : keys_transposed(layout.panel(shape.depth_rows(), shape.keys)),
        values(layout.panel(shape.keys / 2 + 1, shape.depth)),
        queries(layout.panel(shape.query_block(), shape.depth / 2 + 1)),
        scores(layout.panel(shape.query_block(), shape.keys)),
        p(layout.panel(shape.query_block(), shape.keys / 2 + 1)),
        out(layout.panel(shape.query_block(), shape.depth)),
        largest(layout.vector(shape.query_block())),
        sum(layout.vector(shape.query_block())) {}

  Panel keys_transposed;  // (D / 2, nk)
  Panel values;           // (nk / 2, D)
  Panel queries;          // (block, D / 2)
  Panel scores;           // (block, nk) f32
  Panel p;                // (block, nk / 2): probabilities times their sum
  Panel out;              // (block, D) f32
  float* largest;         // (block)
  float* sum;             // (block)
};

struct PairBackwardPanels {
  PairBackwardPanels(ScratchLayout& layout, const SequenceShape& shape)
      : keys_transposed(layout.panel(shape.depth_rows(), shape.keys)),
        values_transposed(layout.panel(shape.depth_rows(), shape.keys)),
        key_pairs(layout.panel(shape.keys / 2 + 1, shape.depth)),
        dk(layout.panel(shape.keys, shape.depth)),
        dv(layout.panel(shape.keys, shape.depth)),
        queries(layout.panel(shape.query_block(), shape.depth / 2 + 1)),
        query_pairs(layout.panel(shape.query_block() / 2 + 1, shape.depth)),
        out_grad(layout.panel(shape.query_block(), shape.depth / 2 + 1)),
        out_grad_pairs(layout.panel(shape.query_block() / 2 + 1, shape.depth)),
        dq(layout.panel(shape.query_block(), shape.depth)),
        p(layout.panel(shape.query_block(), shape.keys)),
        dp(layout.panel(shape.query_block(), shape.keys)),
        p_pairs(layout.panel(shape.query_block() / 2 + 1, shape.keys)),
        ds_pairs(layout.panel(shape.query_block() / 2 + 1, shape.keys)),
        ds(layout.panel(shape.query_block(), shape.keys / 2 + 1)),
        slopes(layout.vector(shape.keys)) {}

  Panel keys_transposed;    // (D / 2, nk)
  Panel values_transposed;  // (D / 2, nk)
  Panel key_pairs;          // (nk / 2, D)
  Panel dk;                 // (nk, D) f32, divided by scale
  Panel dv;                 // (nk, D) f32
  Panel queries;            // (block, D / 2)
  Panel query_pairs;        // (block / 2, D)
  Panel out_grad;           // (block, D / 2)
  Panel out_grad_pairs;     // (block / 2, D)
  Panel dq;                 // (block, D) f32, divided by scale
  Panel p;                  // (block, nk) f32: scores, then probabilities
  Panel dp;                 // (block, nk) f32: gradients of probabilities, then of scores
  Panel p_pairs;            // (block / 2, nk)
  Panel ds_pairs;           // (block / 2, nk)
  Panel ds;                 // (block, nk / 2)
  float* slopes;            // (nk): of the soft cap, at one query's scores
};

}  // namespace inlay::kernels
