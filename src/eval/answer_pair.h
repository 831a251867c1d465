// What a language model makes of the two answers of a preference, the chosen one first; and what
// the base alone makes of them, which training never changes.
#pragma once

#include "autograd/ops/preference_loss.h"
#include "eval/encoded_example.h"
#include "tensor/onednn/packed_matrix.h"

namespace inlay {

struct AnswerPair {
  AnswerLikelihood chosen, rejected;
};

// `token_losses` are -log p of every answer of the example's two sequences. The references are the
// example's, or 0 where it has none.
AnswerPair answer_pair(const EncodedExample& example, std::span<const float> token_losses);

// Sets the reference of every example: its answers under the base with no adapter, in one pass over
// all of them without a tape. A function of the base, the compute type, how weights are read and
// the example alone. REQUIRES: a language model, and examples of two sequences.
void add_reference(const Model& model, DType compute, std::vector<EncodedExample>& examples,
                   onednn::Reading weights = onednn::Reading::kPacked);

}  // namespace inlay
