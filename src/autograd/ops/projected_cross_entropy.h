// Cross entropy over a vocabulary whose logits are never stored: hidden rows meet the output
// projection piece by piece, and their gradient is made in the same pass (the running softmax of
// Milakov and Gimelshein 2018, arXiv:1805.02867). Two products a piece, nothing computed twice, no
// array of (tokens, vocabulary).
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "autograd/frozen_weight.h"
#include "autograd/op_context.h"
#include "tensor/kernels/operand.h"

namespace inlay {

// A frozen matrix (vocabulary, hidden) in pieces of rows, each packed by itself.
class VocabularyProjection {
 public:
  static constexpr int64_t kPieceRows = 4096;

  // `weight` as stored; `after_packing` as of FrozenWeight.
  explicit VocabularyProjection(const Tensor& weight, int64_t piece_rows = kPieceRows,
                                const std::function<void()>& after_packing = nullptr);

  // Quantised rows, which stay so: products dequantise some of a piece at a time.
  explicit VocabularyProjection(const QuantisedMatrix& weight, int64_t piece_rows = kPieceRows);

  int64_t vocabulary() const { return vocabulary_; }
  int64_t hidden() const { return hidden_; }
  const std::deque<FrozenWeight>& pieces() const { return pieces_; }
  // The numbers of a row, as stored or dequantised into `room` of hidden() floats.
  kernels::Input row(int64_t number, std::span<float> room) const;

 private:
  Tensor weight_;
  std::optional<QuantisedMatrix> quantised_;  // in place of weight_
  int64_t vocabulary_, hidden_;
  std::deque<FrozenWeight> pieces_;
};

struct ProjectedCrossEntropyOptions {
  double normalizer = 1;
  // Logits become soft_cap tanh(logit / soft_cap) (Gemma 2, arXiv:2408.00118, section 2); 0: they
  // stay.
  double soft_cap = 0;
};

// hidden (rows, C), targets (rows) in [0, vocabulary) or kIgnoredLabel -> (rows, 1), full
// precision: (log sum_c exp(x_c) - x_target) / normalizer with x = hidden W^T, capped. Both
// `projection` and `targets` must outlive the backward pass. The gradient of `hidden` is kept from
// here on; the projection itself is not trained.
Variable projected_cross_entropy(OpContext& context, const Variable& hidden,
                                 const VocabularyProjection& projection,
                                 const std::vector<int32_t>& targets,
                                 const ProjectedCrossEntropyOptions& options);

}  // namespace inlay
