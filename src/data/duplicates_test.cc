#include "data/duplicates.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

Dataset texts(const std::vector<std::string>& texts) {
  Dataset data;
  data.files.push_back({.path = "a.csv"});
  for (const std::string& text : texts) {
    Example example;
    example.text = text;
    example.line = data.examples.size() + 2;
    data.examples.push_back(example);
  }
  return data;
}

const std::vector<std::size_t> kTrain = {0, 1, 2};

TEST(Folded, LowersCaseAndSquashesWhiteSpace) {
  EXPECT_EQ(folded("  A\tB\n\n c\xC2\xA0 "), "a b c");  // a no-break space is white space too
  EXPECT_EQ(folded("ÉTÉ ΣΑΣ"), folded("été σας"));
  EXPECT_EQ(folded(" \n"), "");
}

TEST(Duplicates, AreFoundDespiteCaseAndSpaces) {
  Dataset data = texts({"Great film.", "Bad film.", "great  FILM.", "great film. ", "Great film!"});
  Duplicates found = find_duplicates(data, kTrain, std::vector<std::size_t>{3, 4});
  EXPECT_EQ(found.count, 1u);
  ASSERT_EQ(found.first.size(), 1u);
  EXPECT_EQ(found.first[0].describe(data), "\"great film. \" (a.csv:5 and a.csv:2)");
}

TEST(Duplicates, AreCountedInFullAndShownThreeTimes) {
  Dataset data = texts({"a", "b", "c", "A", "A", "B", "C", "a"});
  Duplicates found = find_duplicates(data, kTrain, std::vector<std::size_t>{3, 4, 5, 6, 7});
  EXPECT_EQ(found.count, 5u);
  EXPECT_EQ(found.first.size(), 3u);
}

TEST(Duplicates, OfPairsAgreeOnBothSides) {
  Dataset data = texts({"a", "x", "y", "a", "a"});
  data.examples[0].text_pair = "b";
  data.examples[3].text_pair = "B";
  EXPECT_EQ(find_duplicates(data, kTrain, std::vector<std::size_t>{3, 4}).count, 1u);
}

}  // namespace
}  // namespace inlay
