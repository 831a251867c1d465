// How well embeddings tell whether two pictures show the same: pairs of pictures, of which those
// closer than a threshold are taken for the same. The protocol is that of Labeled Faces in the Wild
// (Huang et al. 2007, section III): ten folds of pairs in order, each judged by a threshold that
// the nine others chose.
//
//   VerificationScores scores = verification_scores(embeddings, identities, {});
//   scores.accuracy, scores.at_thousandth->share()
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace inlay {

struct VerificationPlan {
  uint64_t seed = 0;              // of the pairs that are drawn where there are more
  std::size_t most_pairs = 3000;  // of the same identity, and as many of different ones
  std::size_t folds = 10;         // fewer where there are fewer pairs of a kind
};

struct VerificationPair {
  std::size_t first = 0, second = 0;  // embeddings
  double distance = 0;                // squared, 0 to 4
};

// Pairs of one identity that are accepted at a rate of false acceptances.
struct Accepted {
  int64_t accepted = 0, pairs = 0;

  double share() const { return static_cast<double>(accepted) / static_cast<double>(pairs); }
};

struct VerificationScores {
  std::vector<VerificationPair> same, different;  // by the identity of the first: folds in order
  std::vector<double> accuracies;                 // of each fold; empty where there are not two
  std::optional<double> accuracy, deviation;      // mean of the folds, their standard deviation
  // At one false acceptance in a thousand, and in a hundred; nothing where the pairs that choose
  // the threshold are fewer than that.
  std::optional<Accepted> at_thousandth, at_hundredth;
  std::optional<double> roc_auc;
};

// embeddings (n, d), each of length 1; n identities. A pair is accepted where its distance is below
// the threshold: for the accuracy the first best of 0 to 4 by steps of 0.01; for a rate of false
// acceptances the distance that this share of the different pairs is below, with linear
// interpolation between neighbours. Without a pair of either kind every figure is unset. A distance
// that is not finite is kInput.
VerificationScores verification_scores(std::span<const float> embeddings,
                                       std::span<const int32_t> identities,
                                       const VerificationPlan& plan);

}  // namespace inlay
