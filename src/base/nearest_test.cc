#include "base/nearest.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("sunday", "saturday"), 3u);
}

TEST(Nearest, ASwapOfNeighboursIsOneEdit) {
  EXPECT_EQ(edit_distance("alhpa", "alpha"), 1u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // optimal string alignment, not full Damerau
}

TEST(Nearest, IsSymmetric) {
  EXPECT_EQ(edit_distance("query", "q_proj"), edit_distance("q_proj", "query"));
}

TEST(Nearest, VeryLongNamesCostLittle) {
  EXPECT_EQ(edit_distance(std::string(10'000'000, 'a'), std::string(10'000'000, 'b')), 256u);
}

TEST(Nearest, TheNearestComesFirstAndTiesKeepTheirOrder) {
  const std::vector<std::string> known = {"value", "rank", "query", "bank"};
  EXPECT_EQ(nearest_name("querry", known), "query");
  EXPECT_EQ(nearest_names("ank", known, 2), (std::vector<std::string>{"rank", "bank"}));
  EXPECT_EQ(nearest_names("x", known, 9).size(), 4u);
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Nearest, ABeginningIsNear) {
  EXPECT_EQ(nearest_name("multi-label", {"regression", "multi-label-classification"}),
            "multi-label-classification");
}

}  // namespace
}  // namespace inlay
