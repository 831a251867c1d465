// What every adapter method promises on every family: a fresh adapter leaves the base alone or says
// that it does not, gates end in the base and in the adapter, finished or merged it gives the same,
// and the base never changes. More of the same suite: method_files_test.cc,
// method_gradients_test.cc and method_batches_test.cc.
#include "method_contract.h"

#include <algorithm>
#include <cmath>

#include "autograd/map_space.h"
#include "autograd/operands.h"
#include "nn/modules.h"

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

MergedTensors tensors_of(const Site& site) {
  return {.weight = out_by_in(site).to(DType::kF64),
          .bias = site.bias.defined() ? site.bias.to(DType::kF64) : Tensor()};
}

// What the layer of a site gives with these tensors and with the adapter, if any, for drawn input:
// the same at every call.
Tensor given_by(const Site& site, const Tensor& weight, const Tensor& bias, const RowSpace& rows,
                Adapter* adapter) {
  Context context(DType::kF64);
  context.tape.set_recording(false);
  context.begin_forward();
  if (adapter != nullptr) context.adapters = {{.hooks = adapter}};
  Stream stream(19, "contract/merged/" + site.name);
  Tensor x = Tensor::empty({rows.rows(), site.in}, DType::kF64);
  for (int64_t i = 0; i < x.count(); ++i)
    x.mutable_data<double>()[i] = stream.normal(static_cast<uint64_t>(i));
  Variable input = context.tape.constant(x, &rows);
  if (site.kind == SiteKind::kConv) {
    ConvSite module{site, FrozenConv(site.conv, weight, bias)};
    return conv_site(context, module, input, Precision::kFull).value().clone();
  }
  LinearSite module{site, FrozenWeight(weight, bias, onednn::Layout::kOutIn, nullptr)};
  return linear_site(context, module, input, Precision::kFull).value().clone();
}

// Every linear layer and convolution that the adapter can be merged into gives with merged tensors
// what layer and adapter give together; in double, so that nothing but the mathematics can differ.
TEST_P(MethodContract, MergedIsUnmerged) {
  train(learner_);
  learner_.adapter->convert(DType::kF64);
  TokenBatch all = batch(learner_, 0, kExamples);
  RowSpace maps = map_space(all.examples, {9, 8});
  for (const Site* site : learner_.adapter->sites()) {
    if (site->kind != SiteKind::kLinear && site->kind != SiteKind::kConv) continue;
    MergedTensors merged = tensors_of(*site);
    SiteHook* hook = learner_.adapter->at(site->index);
    if (hook == nullptr || !hook->merge(merged)) continue;
    const RowSpace& rows = site->kind == SiteKind::kConv ? maps : all.tokens;
    Tensor expected = given_by(*site, merged.weight, merged.bias, rows, nullptr);
    MergedTensors base = tensors_of(*site);
    Tensor unmerged = given_by(*site, base.weight, base.bias, rows, learner_.adapter.get());
    ASSERT_EQ(unmerged.shape(), expected.shape()) << site->name;
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
