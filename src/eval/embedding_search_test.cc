#include "eval/embedding_search.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

#include "base/error.h"
#include "base/random.h"

namespace inlay {
namespace {

std::vector<std::size_t> numbers_of(const std::vector<Neighbour>& neighbours) {
  std::vector<std::size_t> numbers;
  numbers.reserve(neighbours.size());
  for (const Neighbour& neighbour : neighbours) numbers.push_back(neighbour.item);
  return numbers;
}

TEST(EmbeddingSearch, FindsTheMostSimilarByCosine) {
  std::vector<float> items{0, 5, 1, 1, 1, 0, -2, 0}, queries{3, 0, 0, 0.1f};
  auto found = nearest_items({items, 2}, {queries, 2}, 3);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(numbers_of(found[0]), (std::vector<std::size_t>{2, 1, 0}));
  EXPECT_DOUBLE_EQ(found[0][0].similarity, 1);
  EXPECT_NEAR(found[0][1].similarity, std::sqrt(0.5), 1e-15);
  EXPECT_EQ(found[0][2].similarity, 0);
  EXPECT_EQ(numbers_of(found[1]), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(EmbeddingSearch, PutsTheFirstOfEqualOnesFirst) {
  std::vector<float> items(600 * 3, 0.3f), query{1, 2, 3};
  auto found = nearest_items({items, 3}, {query, 3}, 4);
  EXPECT_EQ(numbers_of(found[0]), (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(EmbeddingSearch, GivesAllWhereThereAreFewer) {
  std::vector<float> items{1, 0, 0, 1}, query{0, 1};
  EXPECT_EQ(numbers_of(nearest_items({items, 2}, {query, 2}, 9)[0]),
            (std::vector<std::size_t>{1, 0}));
}

TEST(EmbeddingSearch, TakesARowOfZerosForNothingAlike) {
  std::vector<float> items{0, 0}, query{0, 1};
  EXPECT_EQ(nearest_items({items, 2}, {query, 2}, 1)[0][0].similarity, 0);
}

// Every block and every remainder of the lanes: what is sought stands in another block each time.
TEST(EmbeddingSearch, FindsAnItemAmongManyWhateverTheThreads) {
  constexpr std::size_t kWidth = 19, kItems = 1000;
  Stream stream(3, "items");
  std::vector<float> items(kWidth * kItems), queries;
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = stream.normal(i);
  std::vector<std::size_t> sought{0, 255, 256, 700, 999};
  for (std::size_t item : sought) {
    for (std::size_t c = 0; c < kWidth; ++c) queries.push_back(3 * items[item * kWidth + c]);
  }
  auto found = nearest_items({items, kWidth}, {queries, kWidth}, 10);
  for (std::size_t q = 0; q < sought.size(); ++q) {
    EXPECT_EQ(found[q][0].item, sought[q]);
    EXPECT_NEAR(found[q][0].similarity, 1, 1e-6);
    for (std::size_t i = 1; i < 10; ++i)
      EXPECT_LE(found[q][i].similarity, found[q][i - 1].similarity);
  }
  int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  auto alone = nearest_items({items, kWidth}, {queries, kWidth}, 10);
  omp_set_num_threads(threads);
  for (std::size_t q = 0; q < sought.size(); ++q) {
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(found[q][i].item, alone[q][i].item);
      EXPECT_EQ(found[q][i].similarity, alone[q][i].similarity);
    }
  }
}

TEST(EmbeddingSearch, RefusesNumbersThatAreNotFinite) {
  std::vector<float> items{1, 0, INFINITY, 1}, query{0, 1};
  try {
    nearest_items({items, 2}, {query, 2}, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the embedding of item 2 holds a number that is not finite; compute in f32");
  }
}

}  // namespace
}  // namespace inlay
