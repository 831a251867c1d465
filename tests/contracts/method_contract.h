// The suite that asks of every adapter method, on every family, what all promise: the fixture of
// method_contract_test.cc, method_files_test.cc, method_gradients_test.cc and
// method_batches_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "eval/learner.h"
#include "method_cases.h"
#include "nn/memory_mode.h"

namespace inlay {

class MethodContract : public testing::TestWithParam<MethodCase> {
 protected:
  static constexpr int64_t kExamples = 8;
  static constexpr int64_t kOutputs = 3;

  MethodContract();
  ~MethodContract() override;

  bool of_images() const { return model_->facts().images; }
  // Another method: this one, or one that every base of images has places for.
  std::string other(const std::string& method) const { return of_images() ? "ssf" : method; }
  // How far roundings take a gradient from what it is, relative to the largest. A decoder's
  // residual stream is normalised for reading alone: products and roundings grow with it. A unit of
  // a deep convolutional network that is within rounding of its kink takes its gradient along.
  double rounding() const { return of_images() ? 1e-4 : model_->facts().causal ? 2e-5 : 1e-5; }
  // So many examples where a batch may be cut, all of them where the method couples a batch.
  int64_t piece(int64_t size) const {
    return learner_.adapter->method().couples_batch() ? kExamples : size;
  }

  static bool same_bits(const Tensor& a, const Tensor& b);

  Learner fresh() const { return fresh(GetParam().method); }
  Learner fresh(const std::string& method) const;
  // As after training: every parameter has moved.
  void train(Learner& learner) const;
  TokenBatch batch(const Learner& learner, int64_t first, int64_t last) const;

  // Logits of all examples with these adapters.
  Tensor logits(const Learner& learner, const std::vector<ActiveAdapter>& adapters) const {
    return logits(learner, {adapters, nullptr}, DType::kF32);
  }
  // Of all examples, or of a batch of some.
  Tensor logits(const Learner& learner, const AdaptedBatch& asked, DType compute) const;
  Tensor base_logits() const { return logits(learner_, {}); }
  Tensor adapted_logits(const Learner& learner) const {
    return logits(learner, {{.hooks = learner.adapter.get()}});
  }
  // What each gives in one pass with the others is what it gives alone.
  void expect_alone(const std::vector<AdaptedBatch>& asked) const;

  // The number whose gradients gradients() gives, in double.
  double loss(const Learner& learner) const;
  // Gradients of all parameters for a fixed gradient of the logits, the batch cut into pieces of
  // `size` examples.
  std::vector<Tensor> gradients(Learner& learner, DType compute, int64_t size = kExamples,
                                const StepWay& way = {}) const;

  // Trains and saves; the learner is left with the adapter in its finished form. Gives its hash.
  std::string save();

  std::shared_ptr<const Model> model_;
  std::vector<TokenSequence> rows_;  // ragged, of 3 to 9 tokens, or images
  Learner learner_;
  std::filesystem::path folder_;
};

}  // namespace inlay
