#include "eval/metrics/verification.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

// Embeddings on axes of their own for each identity.
struct Embedded {
  std::size_t width;
  std::vector<float> values = {};
  std::vector<int32_t> identities = {};

  void add(int32_t identity, float along) {
    std::vector<float> row(width);
    row[static_cast<std::size_t>(identity)] = along;
    values.insert(values.end(), row.begin(), row.end());
    identities.push_back(identity);
  }
  VerificationScores scores(const VerificationPlan& plan = {}) const {
    return verification_scores(values, identities, plan);
  }
};

TEST(Verification, IsPerfectWhereIdentitiesAreApart) {
  Embedded embedded{20};
  for (int32_t i = 0; i < 80; ++i) embedded.add(i % 20, 1);
  VerificationScores scores = embedded.scores();
  EXPECT_EQ(scores.same.size(), 120u);
  EXPECT_EQ(scores.different.size(), 120u);
  EXPECT_EQ(scores.accuracies, std::vector<double>(10, 1.0));
  EXPECT_EQ(scores.accuracy, 1.0);
  EXPECT_EQ(scores.deviation, 0.0);
  EXPECT_EQ(scores.roc_auc, 1.0);
  ASSERT_TRUE(scores.at_hundredth.has_value());
  EXPECT_EQ(scores.at_hundredth->accepted, 120);
  EXPECT_EQ(scores.at_hundredth->pairs, 120);
  // Of 108 pairs nobody knows what one in a thousand is.
  EXPECT_FALSE(scores.at_thousandth.has_value());
}

TEST(Verification, IsAGuessWhereAllAreTheSame) {
  std::vector<int32_t> identities;
  for (int32_t i = 0; i < 80; ++i) identities.push_back(i % 20);
  VerificationScores scores = verification_scores(std::vector<float>(80, 1.0f), identities, {});
  EXPECT_EQ(scores.accuracy, 0.5);
  EXPECT_EQ(scores.roc_auc, 0.5);
  EXPECT_EQ(scores.at_hundredth->share(), 0);
}

// The fourth of each identity points away: of its six pairs three are at 0, three at 4, and all
// different ones at 2.
TEST(Verification, AcceptsWhatIsCloserThanTheDifferentPairs) {
  Embedded embedded{20};
  for (int32_t i = 0; i < 80; ++i) embedded.add(i % 20, i < 60 ? 1.0f : -1.0f);
  VerificationScores scores = embedded.scores();
  EXPECT_EQ(scores.at_hundredth->accepted, 60);
  EXPECT_EQ(scores.at_hundredth->share(), 0.5);
  EXPECT_EQ(scores.accuracy, 0.75);
  EXPECT_EQ(scores.roc_auc, 0.5);
}

std::vector<float> on_the_circle(const std::vector<double>& degrees) {
  std::vector<float> values;
  for (double angle : degrees) {
    values.push_back(static_cast<float>(std::cos(angle * M_PI / 180)));
    values.push_back(static_cast<float>(std::sin(angle * M_PI / 180)));
  }
  return values;
}

// Same pairs at 0, 0, 1 | 0, 1, 1, different ones all at 2 - 2 cos 30 = 0.27. Either half chooses
// 0.01, by which 4 of 5 pairs of the first are right and 3 of 5 of the second.
TEST(Verification, ChoosesEachFoldsThresholdByTheOthers) {
  std::vector<int32_t> identities{0, 0, 0, 0, 1};
  VerificationScores scores =
      verification_scores(on_the_circle({0, 0, 0, 60, 30}), identities, {.folds = 2});
  ASSERT_EQ(scores.same.size(), 6u);
  ASSERT_EQ(scores.different.size(), 4u);
  EXPECT_EQ(scores.same[2].second, 3u);
  EXPECT_NEAR(scores.same[2].distance, 1, 1e-6);
  EXPECT_EQ(scores.different[3].first, 3u);
  EXPECT_EQ(scores.different[3].second, 4u);
  EXPECT_NEAR(scores.different[3].distance, 2 - std::sqrt(3.0), 1e-6);
  ASSERT_EQ(scores.accuracies.size(), 2u);
  EXPECT_DOUBLE_EQ(scores.accuracies[0], 0.8);
  EXPECT_DOUBLE_EQ(scores.accuracies[1], 0.6);
  EXPECT_NEAR(*scores.accuracy, 0.7, 1e-12);
  EXPECT_NEAR(*scores.deviation, std::sqrt(0.02), 1e-12);
  EXPECT_DOUBLE_EQ(*scores.roc_auc, 0.5);
}

TEST(Verification, DrawsPairsBySeedAndEachOnce) {
  Embedded embedded{3};
  for (int32_t i = 0; i < 60; ++i) embedded.add(i * i % 3, 1);
  using Numbers = std::set<std::pair<std::size_t, std::size_t>>;
  auto drawn = [&](uint64_t seed) {
    VerificationScores scores = embedded.scores({.seed = seed, .most_pairs = 100});
    Numbers numbers;
    for (const auto& [pairs, same] :
         {std::pair(&scores.same, true), std::pair(&scores.different, false)}) {
      for (const VerificationPair& pair : *pairs) {
        EXPECT_EQ(embedded.identities[pair.first] == embedded.identities[pair.second], same);
        EXPECT_NE(pair.first, pair.second);
        numbers.insert({pair.first, pair.second});
      }
    }
    return numbers;
  };
  EXPECT_EQ(drawn(1).size(), 200u);
  EXPECT_EQ(drawn(1), drawn(1));
  EXPECT_NE(drawn(1), drawn(2));
}

TEST(Verification, IsUndefinedWithoutPairsOfBothKinds) {
  Embedded one{1}, alone{3}, none{1};
  for (int32_t i = 0; i < 3; ++i) {
    one.add(0, 1);
    alone.add(i, 1);
  }
  for (const Embedded& embedded : {one, alone, none}) {
    VerificationScores scores = embedded.scores();
    EXPECT_FALSE(scores.accuracy.has_value());
    EXPECT_FALSE(scores.roc_auc.has_value());
    EXPECT_FALSE(scores.at_hundredth.has_value());
  }
}

TEST(Verification, RefusesNumbersThatAreNotFinite) {
  std::vector<float> values{1, NAN, 1, 1};
  std::vector<int32_t> identities{0, 0, 1, 1};
  EXPECT_THROW(verification_scores(values, identities, {}), Error);
}

}  // namespace
}  // namespace inlay
