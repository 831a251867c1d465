// What every adapter method promises on every family: a fresh adapter leaves the base alone or says
// that it does not, gates end in the base and in the adapter, finished or merged it gives the same,
// and the base never changes. More of the same suite: method_files_test.cc,
// method_gradients_test.cc and method_batches_test.cc.
#include "method_contract.h"

#include <algorithm>
#include <cmath>

#include "autograd/operands.h"

namespace inlay {
namespace {

TEST_P(MethodContract, Trap8AFreshAdapterIsTheBaseOrSaysThatItIsNot) {
  EXPECT_EQ(same_bits(base_logits(), adapted_logits(learner_)),
            learner_.adapter->method().identity_at_start());
}

TEST_P(MethodContract, AllGatesAtZeroAreTheBase) {
  train(learner_);
  EXPECT_TRUE(same_bits(base_logits(),
                        logits(learner_, {{.hooks = learner_.adapter.get(), .gate = 0.0f}})));
}

TEST_P(MethodContract, AllGatesAtOneAreTheAdapter) {
  train(learner_);
  Tensor adapted = adapted_logits(learner_);
  ActiveAdapter gated{.hooks = learner_.adapter.get(), .gate = 0.0f};
  for (const Site* site : learner_.adapter->sites()) gated.site_gates[site->index] = 1.0f;
  EXPECT_TRUE(same_bits(adapted, logits(learner_, {gated})));
  bool trains_base = !learner_.adapter->entries().empty();
  EXPECT_EQ(same_bits(adapted, base_logits()), !trains_base);
}

TEST_P(MethodContract, FinishedItGivesTheSameOutputs) {
  train(learner_);
  std::unique_ptr<Adapter> finished = learner_.adapter->finished(model_->facts());
  if (finished == nullptr) return;
  Tensor expected = adapted_logits(learner_);
  EXPECT_EQ(finished->finished(model_->facts()), nullptr);
  learner_.adapter = std::move(finished);
  Tensor found = adapted_logits(learner_);
  double largest = 0;
  for (int64_t i = 0; i < expected.count(); ++i)
    largest = std::max(largest, std::fabs(in(expected).load<double>(i)));
  for (int64_t i = 0; i < expected.count(); ++i)
    EXPECT_NEAR(in(found).load<double>(i), in(expected).load<double>(i), 1e-5 * largest) << i;
}

TEST_P(MethodContract, TheBaseKeepsItsBytes) {
  train(learner_);
  gradients(learner_, DType::kF32);
  EXPECT_EQ(model_->checkpoint().root_hash(), model_->facts().root_hash);
}

// Every linear layer that the adapter can be merged into gives with merged tensors what layer and
// adapter give together; in double, so that nothing but the mathematics can differ.
TEST_P(MethodContract, MergedIsUnmerged) {
  train(learner_);
  learner_.adapter->convert(DType::kF64);
  for (const Site* site : learner_.adapter->sites()) {
    if (site->kind != SiteKind::kLinear) continue;
    MergedTensors merged{out_by_in(*site).to(DType::kF64),
                         site->bias.defined() ? site->bias.to(DType::kF64) : Tensor()};
    SiteHook* hook = learner_.adapter->at(site->index);
    if (hook == nullptr || !hook->merge(merged)) continue;
    LinearSite base{*site,
                    FrozenWeight(out_by_in(*site), site->bias, onednn::Layout::kOutIn, nullptr)};
    LinearSite whole{*site,
                     FrozenWeight(merged.weight, merged.bias, onednn::Layout::kOutIn, nullptr)};
    Context context(DType::kF64);
    context.tape.set_recording(false);
    context.begin_forward();
    TokenBatch rows = batch(learner_, 0, kExamples);
    Stream stream(19, "contract/merged/" + site->name);
    Tensor x = Tensor::empty({rows.tokens.rows(), site->in}, DType::kF64);
    for (int64_t i = 0; i < x.count(); ++i)
      x.mutable_data<double>()[i] = stream.normal(static_cast<uint64_t>(i));
    Variable input = context.tape.constant(x, &rows.tokens);
    Tensor expected = linear_site(context, whole, input, Precision::kFull).value();
    context.adapters = {{.hooks = learner_.adapter.get()}};
    Tensor unmerged = linear_site(context, base, input, Precision::kFull).value();
    for (int64_t i = 0; i < expected.count(); ++i) {
      double want = expected.data<double>()[i];
      ASSERT_NEAR(unmerged.data<double>()[i], want, 1e-6 * (1 + std::fabs(want)))
          << site->name << " at " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, MethodContract, testing::ValuesIn(all_method_cases()),
                         method_case_name);

}  // namespace
}  // namespace inlay
