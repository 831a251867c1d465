#include "data/splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/hash.h"
#include "data/test_files.h"

namespace inlay {
namespace {

using Indices = std::vector<std::size_t>;

// counts[c] examples of class c, the classes one after the other.
Dataset classes_of_sizes(const std::vector<std::size_t>& counts) {
  Dataset data;
  data.files.push_back({.path = "a.csv"});
  for (std::size_t id = 0; id < counts.size(); ++id) {
    data.classes.push_back("class " + std::to_string(id));
    for (std::size_t i = 0; i < counts[id]; ++i) {
      Example example;
      example.class_id = static_cast<std::int32_t>(id);
      example.line = data.examples.size() + 2;
      data.examples.push_back(example);
    }
  }
  return data;
}

std::map<std::int32_t, std::size_t> histogram(const Dataset& data, const Indices& part) {
  std::map<std::int32_t, std::size_t> counts;
  for (std::size_t index : part) ++counts[data.examples[index].class_id];
  return counts;
}

Indices everything(const Split& split) {
  Indices all = split.train;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  return all;
}

void expect_each_once(const Indices& sorted, std::size_t n) {
  ASSERT_EQ(sorted.size(), n);
  for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(sorted[i], i);
}

using Counts = std::map<std::int32_t, std::size_t>;

TEST(Split, IsEightyTenTenAndStratified) {
  Dataset data = classes_of_sizes({1500, 1500});
  Split split = split_dataset(data, {.seed = 1});
  expect_each_once(everything(split), 3000);
  EXPECT_EQ(histogram(data, split.train), (Counts{{0, 1200}, {1, 1200}}));
  EXPECT_EQ(histogram(data, split.validation), (Counts{{0, 150}, {1, 150}}));
  EXPECT_EQ(histogram(data, split.test), (Counts{{0, 150}, {1, 150}}));
}

TEST(Split, HoldsEveryClassToWithinOneExample) {
  Dataset data = classes_of_sizes({97, 33, 11, 3});
  Split split = split_dataset(data, {.seed = 5, .validation = 0.2, .test = 0.25});
  EXPECT_EQ(split.test.size(), 36u);
  EXPECT_EQ(split.validation.size(), 29u);
  for (auto [id, total] : histogram(data, everything(split))) {
    double tested = static_cast<double>(histogram(data, split.test)[id]);
    EXPECT_NEAR(tested, 0.25 * static_cast<double>(total), 1.0) << "class " << id;
  }
}

TEST(Split, DependsOnTheSeedAndNothingElse) {
  Dataset data = classes_of_sizes({50, 50});
  EXPECT_EQ(split_dataset(data, {.seed = 1}).test, split_dataset(data, {.seed = 1}).test);
  EXPECT_NE(split_dataset(data, {.seed = 1}).test, split_dataset(data, {.seed = 2}).test);
}

TEST(Split, IsAscendingInEveryPart) {
  Split split = split_dataset(classes_of_sizes({50, 50}), {.seed = 1});
  for (const Indices& part : {split.train, split.validation, split.test}) {
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
  }
}

TEST(Split, KeepsRareClassesInTrain) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Dataset data = classes_of_sizes({40, 1, 2});
    Split split = split_dataset(data, {.seed = seed});
    EXPECT_EQ(histogram(data, split.train)[1], 1u);
    EXPECT_EQ(histogram(data, split.train)[2], 2u);
  }
}

TEST(Split, RefusesTooFewExamplesAndUnsoundShares) {
  EXPECT_INPUT_ERROR(split_dataset(classes_of_sizes({1, 1}), {.seed = 1}),
                     "too few for 1 validation and 1 test");
  EXPECT_THROW(split_dataset(classes_of_sizes({9, 9}), {.validation = 0.5, .test = 0.5}), Error);
  EXPECT_THROW(split_dataset(classes_of_sizes({9, 9}), {.validation = -0.1}), Error);
}

TEST(Split, ShufflesWhatHasNoSingleClass) {
  Dataset data = classes_of_sizes({100});
  data.kind = TaskKind::kRegression;
  for (Example& example : data.examples) example.class_id = -1;
  Split split = split_dataset(data, {.seed = 3});
  expect_each_once(everything(split), 100);
  EXPECT_EQ(split.test.size(), 10u);
}

TEST(Split, LetsAnIdentityBeMissingFromTrain) {
  Dataset data = classes_of_sizes(std::vector<std::size_t>(30, 4));
  data.kind = TaskKind::kImageIdentity;
  for (Example& example : data.examples) example.group = std::to_string(example.class_id);
  Split split = split_dataset(data, {.seed = 1});
  expect_each_once(everything(split), 120);
  EXPECT_EQ(split.test.size(), 12u);
  Counts trained = histogram(data, split.train);
  for (auto [id, count] : histogram(data, split.test)) {
    EXPECT_EQ(count, 4u);
    EXPECT_EQ(trained.count(id), 0u);
  }
}

// Parts that files give are kept where no identity is in two of them.
TEST(Split, SplitsIdentitiesAnewThatStandInSeveralParts) {
  Dataset data = classes_of_sizes(std::vector<std::size_t>(10, 4));
  data.kind = TaskKind::kImageIdentity;
  for (Example& example : data.examples) example.group = std::to_string(example.class_id);
  data.files = {{.path = "train", .part = Part::kTrain}, {.path = "test", .part = Part::kTest}};
  for (std::size_t i = 0; i < data.examples.size(); ++i)
    data.examples[i].file = data.examples[i].class_id < 5 ? 0 : 1;
  EXPECT_EQ(split_dataset(data, {.seed = 1}).test.size(), 20u);
  for (std::size_t i = 0; i < data.examples.size(); ++i) data.examples[i].file = i % 2;
  Split split = split_dataset(data, {.seed = 1});
  EXPECT_EQ(split.test.size(), 4u);
  Counts trained = histogram(data, split.train);
  for (auto [id, count] : histogram(data, split.test)) EXPECT_EQ(trained.count(id), 0u);
}

TEST(Split, KeepsGivenPartsAndSplitsValidationOffTrain) {
  Dataset data = classes_of_sizes({45, 45, 0});
  data.files = {{.path = "train.csv", .part = Part::kTrain},
                {.path = "test.csv", .part = Part::kTest}};
  for (std::size_t i = 40; i < 50; ++i) data.examples[i].file = 1;
  Split split = split_dataset(data, {.seed = 1});
  EXPECT_EQ(split.test, (Indices{40, 41, 42, 43, 44, 45, 46, 47, 48, 49}));
  EXPECT_EQ(split.validation.size(), 9u);  // 0.1 / 0.9 of 80
  expect_each_once(everything(split), 90);
}

TEST(Shots, KeepsSoManyOfEachClass) {
  Dataset data = classes_of_sizes({40, 60});
  Split few = split_dataset(data, {.seed = 1, .shots = 8});
  Split all = split_dataset(data, {.seed = 1});
  EXPECT_EQ(histogram(data, few.train), (Counts{{0, 8}, {1, 8}}));
  EXPECT_EQ(few.test, all.test);
  EXPECT_TRUE(
      std::includes(all.train.begin(), all.train.end(), few.train.begin(), few.train.end()));
  EXPECT_NE(few.train, split_dataset(data, {.seed = 2, .shots = 8}).train);
}

TEST(Shots, RefusesAClassWithFewer) {
  EXPECT_INPUT_ERROR(split_dataset(classes_of_sizes({40, 5}), {.seed = 1, .shots = 8}),
                     "class \"class 1\" has 4 training examples; expected at least 8");
}

TEST(Folds, TestEveryExampleOnceAndAreStratified) {
  Dataset data = classes_of_sizes({50, 100, 10});
  std::vector<Split> folds = fold_dataset(data, {.seed = 1}, 5);
  Indices tested;
  for (const Split& fold : folds) {
    expect_each_once(everything(fold), 160);
    EXPECT_EQ(histogram(data, fold.test), (Counts{{0, 10}, {1, 20}, {2, 2}}));
    EXPECT_EQ(fold.validation.size(), 13u);
    tested.insert(tested.end(), fold.test.begin(), fold.test.end());
  }
  std::sort(tested.begin(), tested.end());
  expect_each_once(tested, 160);
}

TEST(Folds, RefuseAClassThatOneFoldWouldNotTrainOn) {
  EXPECT_INPUT_ERROR(fold_dataset(classes_of_sizes({20, 1}), {.seed = 1}, 5),
                     "class \"class 1\" has no example left to train on");
  EXPECT_EQ(fold_dataset(classes_of_sizes({20, 2}), {.seed = 1}, 5).size(), 5u);
}

TEST(Folds, RefuseGivenPartsAndImpossibleCounts) {
  Dataset data = classes_of_sizes({5, 5});
  EXPECT_THROW(fold_dataset(data, {}, 1), Error);
  EXPECT_THROW(fold_dataset(data, {}, 11), Error);
  data.files[0].part = Part::kTrain;
  EXPECT_THROW(fold_dataset(data, {}, 2), Error);
}

// `groups` groups; of each, sizes 1 to 5 by turns, all of one class, which alternate.
Dataset grouped(std::size_t groups, std::int32_t classes) {
  Dataset data = classes_of_sizes(std::vector<std::size_t>(static_cast<std::size_t>(classes), 0));
  data.kind = TaskKind::kImageLabel;
  for (std::size_t group = 0; group < groups; ++group) {
    for (std::size_t i = 0; i <= group % 5; ++i) {
      Example example;
      example.class_id = static_cast<std::int32_t>(group) % classes;
      example.group = "group " + std::to_string(group);
      data.examples.push_back(example);
    }
  }
  return data;
}

std::set<std::string> groups_of(const Dataset& data, const Indices& part) {
  std::set<std::string> groups;
  for (std::size_t index : part) groups.insert(data.examples[index].group);
  return groups;
}

void expect_no_group_is_split(const Dataset& data, const Split& split) {
  std::size_t parts = groups_of(data, split.train).size() +
                      groups_of(data, split.validation).size() + groups_of(data, split.test).size();
  EXPECT_EQ(parts, groups_of(data, everything(split)).size());
}

TEST(Groups, AreNeverSplitAndClassesKeepTheirShares) {
  Dataset data = grouped(200, 3);  // 600 examples
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Split split = split_dataset(data, {.seed = seed, .validation = 0.1, .test = 0.2});
    expect_each_once(everything(split), 600);
    expect_no_group_is_split(data, split);
    EXPECT_NEAR(static_cast<double>(split.test.size()), 120, 5);
    EXPECT_NEAR(static_cast<double>(split.validation.size()), 60, 5);
    for (auto [id, total] : histogram(data, everything(split))) {
      EXPECT_NEAR(static_cast<double>(histogram(data, split.test)[id]),
                  0.2 * static_cast<double>(total), 5)
          << "class " << id;
    }
  }
}

TEST(Groups, DependOnTheSeedAndNothingElse) {
  Dataset data = grouped(60, 2);
  EXPECT_EQ(split_dataset(data, {.seed = 1}).test, split_dataset(data, {.seed = 1}).test);
  EXPECT_NE(split_dataset(data, {.seed = 1}).test, split_dataset(data, {.seed = 2}).test);
}

TEST(Groups, OfFoldsAreTestedOnce) {
  Dataset data = grouped(100, 2);  // 300 examples
  Indices tested;
  for (const Split& fold : fold_dataset(data, {.seed = 3}, 4)) {
    expect_each_once(everything(fold), 300);
    expect_no_group_is_split(data, fold);
    EXPECT_NEAR(static_cast<double>(fold.test.size()), 75, 5);
    EXPECT_FALSE(fold.validation.empty());
    tested.insert(tested.end(), fold.test.begin(), fold.test.end());
  }
  std::sort(tested.begin(), tested.end());
  expect_each_once(tested, 300);
}

TEST(Groups, LeaveNoPartEmptyAndAreRefusedWhereTheyAreTooFew) {
  Dataset data = classes_of_sizes({9});
  data.kind = TaskKind::kRegression;
  for (std::size_t i = 0; i < 9; ++i) data.examples[i].group = std::to_string(i / 3);
  Split split = split_dataset(data, {.seed = 1});
  EXPECT_EQ(split.train.size(), 3u);
  EXPECT_EQ(split.validation.size(), 3u);
  EXPECT_EQ(split.test.size(), 3u);
  for (std::size_t i = 3; i < 9; ++i) data.examples[i].group = "0 again";
  EXPECT_INPUT_ERROR(split_dataset(data, {.seed = 1}), "2 groups are too few for 3 parts");
}

TEST(Groups, AreKeptWhenValidationIsSplitOffAGivenTrainPart) {
  Dataset data = grouped(40, 2);
  data.files = {{.path = "train", .part = Part::kTrain}, {.path = "test", .part = Part::kTest}};
  for (std::size_t i = 100; i < data.examples.size(); ++i) data.examples[i].file = 1;
  Split split = split_dataset(data, {.seed = 1});
  EXPECT_EQ(split.test.front(), 100u);
  expect_no_group_is_split(data, split);
  EXPECT_NEAR(static_cast<double>(split.validation.size()), 100.0 / 9.0, 5);
}

TEST(Groups, LeaveExamplesWithoutOneAlone) {
  Dataset data = grouped(20, 2);
  for (Example& example : data.examples)
    if (example.group != "group 4") example.group.clear();
  Split split = split_dataset(data, {.seed = 1});
  expect_each_once(everything(split), 60);
  EXPECT_NEAR(static_cast<double>(split.test.size()), 6, 2);
}

TEST(StratifiedOrder, SpreadsEveryStratumEvenly) {
  std::vector<std::int32_t> strata = {0, 0, 0, 0, 0, 0, 1, 1, 1};
  Indices order = stratified_order(strata, 7, "test");
  for (std::size_t start = 0; start < 9; start += 3) {
    int ones = 0;
    for (std::size_t i = start; i < start + 3; ++i) ones += strata[order[i]];
    EXPECT_EQ(ones, 1) << "from " << start;
  }
}

TEST(OrderHash, IsOverLittleEndianNumbersInOrder) {
  EXPECT_EQ(order_hash(Indices{}), hex(sha256(std::string_view())));
  EXPECT_EQ(order_hash(Indices{1, 258}),
            hex(sha256(std::string("\1\0\0\0\0\0\0\0\2\1\0\0\0\0\0\0", 16))));
  EXPECT_NE(order_hash(Indices{1, 2}), order_hash(Indices{2, 1}));
}

}  // namespace
}  // namespace inlay
