#include "eval/generation/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace inlay {
namespace {

// Logits whose softmax is `probabilities`.
Candidates with_probabilities(const std::vector<double>& probabilities) {
  std::vector<double> logits;
  for (double p : probabilities) logits.push_back(std::log(p));
  return candidates_of(logits, 1);
}

std::vector<int32_t> ids(const Candidates& candidates) {
  std::vector<int32_t> ids;
  for (const Candidate& candidate : candidates) ids.push_back(candidate.id);
  return ids;
}

using Ids = std::vector<int32_t>;

TEST(Candidates, AreRelativeToTheLargestOverTheTemperature) {
  const Candidates found = candidates_of(std::vector<double>{1, -INFINITY, 3, 2}, 0.5);
  EXPECT_EQ(ids(found), (Ids{0, 2, 3}));
  EXPECT_EQ(found[0].logit, -4);
  EXPECT_EQ(found[1].logit, 0);
  EXPECT_EQ(found[2].logit, -2);
}

TEST(Candidates, OfTheSmallestTemperatureAreTheLargestAlone) {
  const double tiny = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(ids(candidates_of(std::vector<double>{-1e38, 1e38, 1e38, 0}, tiny)), (Ids{1, 2}));
}

TEST(TopK, KeepsTheLikeliestInTheOrderOfIds) {
  const Candidates all = with_probabilities({0.1, 0.4, 0.05, 0.25, 0.2});
  for (const auto& [k, expected] :
       std::vector<std::pair<int64_t, Ids>>{{1, {1}},
                                            {2, {1, 3}},
                                            {4, {0, 1, 3, 4}},
                                            {5, {0, 1, 2, 3, 4}},
                                            {0, {0, 1, 2, 3, 4}},
                                            {INT64_MAX, {0, 1, 2, 3, 4}}}) {
    Candidates kept = all;
    keep_top_k(kept, k);
    EXPECT_EQ(ids(kept), expected) << k;
  }
}

TEST(TopK, KeepsAllThatEqualTheLast) {
  Candidates kept = candidates_of(std::vector<double>{1, 5, 1, 1, 0}, 1);
  keep_top_k(kept, 2);
  EXPECT_EQ(ids(kept), (Ids{0, 1, 2, 3}));
}

TEST(TopP, KeepsTheFewestThatReachP) {
  const Candidates all = with_probabilities({0.125, 0.5, 0.0625, 0.25, 0.0625});
  for (const auto& [p, expected] : std::vector<std::pair<double, Ids>>{{0, {1}},
                                                                       {0.4, {1}},
                                                                       {0.49, {1}},
                                                                       {0.51, {1, 3}},
                                                                       {0.74, {1, 3}},
                                                                       {0.76, {0, 1, 3}},
                                                                       {0.87, {0, 1, 3}},
                                                                       {0.88, {0, 1, 2, 3}},
                                                                       {0.93, {0, 1, 2, 3}},
                                                                       {0.95, {0, 1, 2, 3, 4}},
                                                                       {1, {0, 1, 2, 3, 4}}}) {
    Candidates kept = all;
    keep_top_p(kept, p);
    EXPECT_EQ(ids(kept), expected) << p;
  }
}

TEST(TopP, EndsExactlyAtPAndTakesLowerIdsOfEquals) {
  // Each has 1 / 8, and sums of those are exact.
  Candidates kept = candidates_of(std::vector<double>(8, 0.0), 1);
  keep_top_p(kept, 0.375);
  EXPECT_EQ(ids(kept), (Ids{0, 1, 2}));
}

TEST(TopP, IsTheSameAsSortingTheWholeVocabulary) {
  for (uint64_t round = 0; round < 20; ++round) {
    const Stream stream(round, "logits");
    std::vector<double> logits(1 + stream.below(500, 0));
    for (std::size_t i = 0; i < logits.size(); ++i) {
      logits[i] = std::round(4 * stream.normal(i + 1)) / 4;  // with equals among them
    }
    const Candidates all = candidates_of(logits, 1);
    Candidates sorted = all;
    std::sort(sorted.begin(), sorted.end(), likelier);
    double total = 0, sum = 0;
    for (const Candidate& candidate : sorted) total += std::exp(candidate.logit);
    const double p = 0.001 + 0.99 * stream.uniform(1000);
    Ids expected;
    for (std::size_t i = 0; i < sorted.size() && sum < p * total; ++i) {
      sum += std::exp(sorted[i].logit);
      expected.push_back(sorted[i].id);
    }
    std::sort(expected.begin(), expected.end());
    Candidates kept = all;
    keep_top_p(kept, p);
    EXPECT_EQ(ids(kept), expected) << round;
  }
}

TEST(MinP, KeepsWhatIsAtLeastAShareOfTheLikeliest) {
  const Candidates all = with_probabilities({0.1, 0.5, 0.04, 0.26, 0.1});
  for (const auto& [p, expected] : std::vector<std::pair<double, Ids>>{{0, {0, 1, 2, 3, 4}},
                                                                       {0.07, {0, 1, 2, 3, 4}},
                                                                       {0.09, {0, 1, 3, 4}},
                                                                       {0.19, {0, 1, 3, 4}},
                                                                       {0.21, {1, 3}},
                                                                       {0.53, {1}},
                                                                       {1, {1}}}) {
    Candidates kept = all;
    keep_min_p(kept, p);
    EXPECT_EQ(ids(kept), expected) << p;
  }
}

TEST(MinP, OfOneKeepsAllEquals) {
  Candidates kept = candidates_of(std::vector<double>{2, 1, 2}, 1);
  keep_min_p(kept, 1);
  EXPECT_EQ(ids(kept), (Ids{0, 2}));
}

TEST(Draw, GivesEachTokenItsShareInTheOrderOfIds) {
  Candidates candidates = {{3, 0}, {5, -INFINITY}, {7, std::log(3.0)}};  // 1/4, 0, 3/4
  EXPECT_EQ(draw(candidates, 0), 3);
  EXPECT_EQ(draw(candidates, 0.249), 3);
  EXPECT_EQ(draw(candidates, 0.251), 7);
  EXPECT_EQ(draw(candidates, 1 - 0x1p-53), 7);
}

}  // namespace
}  // namespace inlay
