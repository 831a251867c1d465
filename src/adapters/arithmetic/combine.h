// Adapter arithmetic: one LoRA adapter from several, dW = sum_i w_i dW_i exactly or by a rule that
// gives up exactness for something else, with its distance from the exact sum.
//
//   cat               the factors side by side, rank = sum of ranks                       exact
//   negate            -dW of one adapter                                                  exact
//   svd               the exact sum cut to its first singular vectors                     best of
//   its rank linear            sums of sqrt(w s) A and of sqrt(w s) B: cross terms come in ties,
//   dare_linear, dare_ties, magnitude_prune
//                     merge_rules.h on A and B apart: cross terms, too
//   <rule>_svd        the same rules on dW itself, cut to its first singular vectors
//
// The scale of each adapter, alpha / r or alpha / sqrt(r), patterns included, counts once; the
// result has alpha = r, so its own scale is 1. Biases (lora_bias) are summed exactly. DoRA, and
// every other method that can be merged, has no factors to put side by side: svd and the *_svd
// rules take its dW, the others refuse it by name.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/arithmetic/merge_rules.h"

namespace inlay {

struct WeightedAdapter {
  Adapter* adapter;
  double weight;
};

struct CombineSettings {
  std::string how = "cat";
  int64_t rank = 0;    // of what svd keeps; 0: the largest rank of the inputs
  double density = 0;  // REQUIRED above 0 and up to 1 by the rules that prune
  SignVote vote = SignVote::kTotal;
  uint64_t seed = 0;
};

// The names above, as a list for help and messages.
const std::vector<std::string>& combine_rules();

// How far the result is from the exact weighted sum at a site, in Frobenius norms.
struct SiteError {
  const Site* site;
  int64_t rank = 0;  // of the result
  double exact = 0;  // |sum_i w_i dW_i|
  double error = 0;  // |dW - sum_i w_i dW_i|
  double relative() const;
};

struct Combined {
  std::unique_ptr<Adapter> adapter;  // method "lora"
  std::vector<SiteError> sites;      // in the base's order
  double relative_error() const;     // over all sites together
};

// REQUIRES: the adapters are attached to `base`. kUsage for a rule that does not fit: unequal ranks
// or methods without factors (named), a density out of range, negate of several.
Combined combine_adapters(std::span<const WeightedAdapter> given, const CombineSettings& settings,
                          const BaseFacts& base, const std::string& name);

}  // namespace inlay
