// Losses per row, already divided by the size of the effective batch: their sum over all
// micro-batches is the loss that is minimised. Walk back from them with a seed of ones.
//
//   Variable losses = cross_entropy(context, logits, targets, {.normalizer =
//   examples_in_the_batch}); context.tape.backward(losses, ones);
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

inline constexpr int32_t kIgnoredLabel = -100;

struct CrossEntropyOptions {
  double normalizer = 1;  // PyTorch's mean: the sum of the target weights over the effective batch
  double label_smoothing = 0;
  Tensor class_weights;  // (classes), F32, or undefined
};

// logits (rows, classes), targets (rows) in [0, classes) or kIgnoredLabel -> (rows, 1). With
// smoothing e, weights w and PyTorch's definition: (1 - e) w_y (lse - x_y) + e / V sum_c w_c (lse -
// x_c). `targets` must outlive the backward pass.
Variable cross_entropy(OpContext& context, const Variable& logits,
                       const std::vector<int32_t>& targets, const CrossEntropyOptions& options);
// The sum of target weights of the rows that count, to be added up over the effective batch for
// `normalizer`.
double cross_entropy_weight(const std::vector<int32_t>& targets,
                            const CrossEntropyOptions& options);

// logits and targets (rows, classes) -> (rows, 1): sum_c t_c (lse - x_c), divided by `normalizer`;
// the cross entropy of targets that are shares of several classes.
Variable soft_cross_entropy(OpContext& context, const Variable& logits, const Tensor& targets,
                            double normalizer);

// logits and targets (rows, labels) -> (rows, 1): the sum over labels of max(x, 0) - x t + log(1 +
// exp(-|x|)), divided by `normalizer` (PyTorch's mean: examples times labels).
Variable binary_cross_entropy(OpContext& context, const Variable& logits, const Tensor& targets,
                              double normalizer);

// logits and targets (rows, values) -> (rows, 1): the sum of (x - t)^2, divided by `normalizer`.
Variable squared_error(OpContext& context, const Variable& logits, const Tensor& targets,
                       double normalizer);

}  // namespace inlay
