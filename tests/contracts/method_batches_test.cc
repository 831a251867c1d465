// Several adapters over one batch, of every method on every family: each row gets what its own
// adapters give alone.
#include <algorithm>

#include "method_contract.h"

namespace inlay {
namespace {

TEST_P(MethodContract, Trap16RowsOfAMixedBatchAreThoseOfTheirOwnAdapters) {
  train(learner_);
  Context context(DType::kF32);
  context.tape.set_recording(false);
  constexpr int64_t kHalf = kExamples / 2;
  context.segments = {{0, kHalf, {}}, {kHalf, kExamples, {{.hooks = learner_.adapter.get()}}}};
  TokenBatch all = batch(learner_, 0, kExamples);
  auto is_bare = [](const Site& site) {
    return site.kind == SiteKind::kEmbedding || site.kind == SiteKind::kParameter;
  };
  bool replaces_bare = std::any_of(
      learner_.adapter->sites().begin(), learner_.adapter->sites().end(), [&](const Site* site) {
        if (!is_bare(*site)) return false;
        Replacements replaced = learner_.adapter->at(site->index)->replacements();
        return replaced.weight != nullptr || replaced.bias != nullptr;
      });
  if (replaces_bare) {  // a replaced table or parameter holds for a whole batch
    EXPECT_THROW(learner_logits(context, learner_, all), Error);
    return;
  }
  Tensor mixed = learner_logits(context, learner_, all).value().clone();
  Tensor base = base_logits(), adapted = adapted_logits(learner_);
  auto expect_rows = [&](const Tensor& own, int64_t first, int64_t last) {
    for (int64_t i = first * kOutputs; i < last * kOutputs; ++i) {
      EXPECT_EQ(mixed.data<float>()[i], own.data<float>()[i]) << i;
    }
  };
  expect_rows(base, 0, kHalf);
  expect_rows(adapted, kHalf, kExamples);
}

// A pass for several adapters takes every method, those that replace the base's tables, too.
TEST_P(MethodContract, Trap16ParallelAdaptersGiveWhatEachGivesAlone) {
  Learner another = fresh(other("lora[r=2,layers_to_transform=1]"));
  train(learner_);
  train(another);
  TokenBatch all = batch(learner_, 0, kExamples);
  expect_alone({{{}, &all},
                {{{.hooks = learner_.adapter.get()}}, &all},
                {{{.hooks = another.adapter.get()}}, &all}});
}

TEST_P(MethodContract, Trap16RowsThatNameAnAdapterGetWhatItGivesAlone) {
  Learner another = fresh(other("bottleneck[reduction_factor=8]"));
  train(learner_);
  train(another);
  constexpr int64_t kHalf = kExamples / 2;
  TokenBatch first = batch(learner_, 0, kHalf), second = batch(learner_, kHalf, kExamples);
  expect_alone({{{{.hooks = another.adapter.get()}}, &first},
                {{{.hooks = learner_.adapter.get()}}, &second}});
}

}  // namespace
}  // namespace inlay
