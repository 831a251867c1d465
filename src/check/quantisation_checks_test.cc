#include <gtest/gtest.h>

#include <cmath>

#include "autograd/operands.h"
#include "base/source_dir.h"
#include "check/parts.h"

namespace inlay {
namespace {

class QuantisationChecks : public testing::Test {
 protected:
  QuantisationChecks() {
    for (int32_t first : {5, 40}) {
      EncodedExample example;
      for (int32_t t = 0; t < 6; ++t) {
        example.tokens.ids.push_back(first + 7 * t);
        example.tokens.asked.push_back(t);
        example.answers.push_back(first);
      }
      examples_.push_back(std::move(example));
    }
  }

  static std::shared_ptr<const Model> load(std::optional<BlockFormat> format) {
    return load_model(source_dir() / "tests/golden/models/llama-tied-causal-lm",
                      {.language_model = true, .quantise = format});
  }

  Findings findings(const std::shared_ptr<const Model>& model, bool thorough) const {
    Learner learner;
    learner.model = model;
    set_task(learner, find_task("causal-lm"), {});
    Dataset data;
    std::vector<const EncodedExample*> train{&examples_[0], &examples_[1]};
    CheckSubject subject{.model = *model,
                         .method = "lora",
                         .fresh = {},
                         .data = data,
                         .train = train,
                         .thorough = thorough};
    Findings findings;
    check_quantisation(subject, learner, findings);
    return findings;
  }

  // Logits of all tokens, example by example.
  std::vector<double> logits(const Model& model) const {
    Context context(DType::kF32);
    context.tape.set_recording(false);
    std::vector<double> values;
    for (const EncodedExample& example : examples_) {
      const TokenSequence* one = &example.tokens;
      TokenBatch batch = make_token_batch({&one, 1}, {});
      Tensor rows = model.next_token_logits(context, model.encode(context, batch)).value();
      for (int64_t i = 0; i < rows.count(); ++i) values.push_back(in(rows).load<double>(i));
    }
    return values;
  }

  std::vector<EncodedExample> examples_;
};

TEST_F(QuantisationChecks, SayHowFarTheWeightsAre) {
  auto model = load(BlockFormat::kQ80), plain = load(std::nullopt);
  Findings found = findings(model, false);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, "C-4");
  EXPECT_EQ(found[0].severity, Severity::kInfo);
  double error = 0, norm = 0, worst = 0;
  std::string worst_layer;
  int64_t layers = 0;
  for (std::size_t s = 0; s < model->sites().size(); ++s) {
    const Site& site = *model->sites()[s];
    if (site.quantised == nullptr) continue;
    ++layers;
    Tensor wanted = plain->sites()[s]->weight, held = out_by_in(site);
    double own_error = 0, own_norm = 0;
    for (int64_t i = 0; i < wanted.count(); ++i) {
      double value = in(wanted).load<double>(i), difference = value - in(held).load<double>(i);
      own_error += difference * difference;
      own_norm += value * value;
    }
    error += own_error;
    norm += own_norm;
    if (own_error / own_norm > worst * worst) {
      worst = std::sqrt(own_error / own_norm);
      worst_layer = site.name;
    }
  }
  const Json& details = found[0].details;
  EXPECT_EQ(details.at("layers"), layers);
  EXPECT_EQ(details.at("format"), "Q8_0");
  EXPECT_NEAR(details.at("relative_error").get<double>(), std::sqrt(error / norm), 1e-9);
  EXPECT_NEAR(details.at("worst_relative_error").get<double>(), worst, 1e-9);
  EXPECT_EQ(details.at("worst_layer"), worst_layer);
  EXPECT_FALSE(details.contains("output_difference"));
  // Steps of the largest of 32 numbers, about 2.2 deviations, over 127; sqrt(12) of uniform errors.
  EXPECT_NEAR(details.at("relative_error").get<double>(), 2.2 / 127 / std::sqrt(12), 1e-3);
}

TEST_F(QuantisationChecks, SayHowFarTheOutputsAreWhenThorough) {
  auto model = load(BlockFormat::kQ40), plain = load(std::nullopt);
  std::vector<double> expected = logits(*plain), held = logits(*model);
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference = std::max(difference, std::fabs(expected[i] - held[i]));
    largest = std::max(largest, std::fabs(expected[i]));
  }
  Findings found = findings(model, true);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_GT(difference, 0);
  EXPECT_NEAR(found[0].details.at("output_difference").get<double>(), difference, 1e-5);
  EXPECT_NEAR(found[0].details.at("largest_output").get<double>(), largest, 1e-5);
}

TEST_F(QuantisationChecks, AreSilentAboutABaseAsItsFilesHaveIt) {
  EXPECT_TRUE(findings(load(std::nullopt), true).empty());
}

}  // namespace
}  // namespace inlay
