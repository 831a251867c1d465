// Layers that are computed once and kept give the bits of those that are computed every time: for
// every family, wherever the base is cut, in batches of any kind, in memory and in a file.
#include "eval/frozen_prefix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "base/random.h"
#include "eval/task.h"
#include "families.h"
#include "method_cases.h"
#include "test_sequences.h"

namespace inlay {
namespace {

class FrozenPrefixContract : public testing::TestWithParam<const Family*> {
 protected:
  static constexpr std::size_t kExamples = 6;

  FrozenPrefixContract() : model_(tiny_model(*GetParam())), examples_(kExamples) {
    std::vector<TokenSequence> sequences = test_sequences(model_->facts(), kExamples);
    for (std::size_t i = 0; i < kExamples; ++i) examples_[i].tokens = std::move(sequences[i]);
  }

  std::vector<const EncodedExample*> pick(const std::vector<std::size_t>& numbers) const {
    std::vector<const EncodedExample*> some;
    some.reserve(numbers.size());
    for (std::size_t number : numbers) some.push_back(&examples_[number]);
    return some;
  }

  BatchPlace place() const { return {.first_position = model_->facts().first_position}; }

  // What the base gives for these, alone and through what is kept.
  void expect_same(FrozenPrefix& prefix, const std::vector<std::size_t>& numbers) {
    std::vector<const EncodedExample*> some = pick(numbers);
    Context context(DType::kF32);
    TokenBatch whole = make_example_batch(some, place());
    Tensor wanted = model_->encode(context, whole).value().clone();
    TokenBatch batch = prefix.batch(some, place());
    Variable found = prefix.encode(context, *model_, some, batch);
    ASSERT_EQ(found.value().shape(), wanted.shape());
    EXPECT_EQ(std::memcmp(found.value().raw(), wanted.raw(), wanted.byte_count()), 0);
    EXPECT_EQ(found.row_space()->example_offsets.size(), numbers.size() + 1);
  }

  void expect_same_everywhere(PrefixPlace place, const PrefixRoom& room) {
    std::vector<std::size_t> all(kExamples);
    std::iota(all.begin(), all.end(), std::size_t{0});
    FrozenPrefix prefix(place, pick(all), room);
    expect_same(prefix, {0, 1});
    EXPECT_TRUE(prefix.knows(examples_[1]));
    EXPECT_FALSE(prefix.knows(examples_[2]));
    expect_same(prefix, {1, 2, 3});  // one of them known
    expect_same(prefix, {4, 5});
    expect_same(prefix, {5, 0, 3, 1});  // all known, in another order
    expect_same(prefix, {2});
  }

  std::shared_ptr<const Model> model_;
  std::vector<EncodedExample> examples_;
};

TEST_P(FrozenPrefixContract, WhatIsKeptIsWhatIsComputed) {
  PrefixRoom memory{uint64_t{1} << 30, ""};
  for (int64_t layers = 1; layers <= model_->facts().layers; ++layers) {
    SCOPED_TRACE(layers);
    expect_same_everywhere({layers, false}, memory);
  }
  expect_same_everywhere({model_->facts().layers, true}, memory);
  expect_same_everywhere({1, false}, {0, testing::TempDir()});
}

// A head alone leaves everything as it is; an adapter everywhere leaves nothing, one in the last
// layer what comes before.
TEST_P(FrozenPrefixContract, TheFirstChangedLayerIsFound) {
  const BaseFacts& base = model_->facts();
  Learner learner;
  learner.model = model_;
  EXPECT_TRUE(prefix_place(learner).whole);
  std::string method = base.images ? "ssf" : "bottleneck";
  learner.adapter = Adapter::create("all", parse_method(method), base, 1);
  EXPECT_FALSE(prefix_place(learner).any());
  std::string last = std::to_string(base.layers - 1);
  learner.adapter = Adapter::create(
      "last", parse_method("lora[target_modules=all-linear,layers_to_transform=" + last + "]"),
      base, 1);
  EXPECT_EQ(prefix_place(learner).layers, base.layers - 1);
  EXPECT_FALSE(prefix_place(learner).whole);
}

INSTANTIATE_TEST_SUITE_P(Families, FrozenPrefixContract, testing::ValuesIn(contract_families()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace inlay
