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

// By numpy from the model's file: every 32 numbers as round(w / d) d, where d is the largest of
// them over 127, rounded to half precision. The layers that read 48 channels stay as they are.
TEST_F(QuantisationChecks, SayHowFarTheWeightsAre) {
  Findings found = findings(load(BlockFormat::kQ80), false);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].id, "C-4");
  EXPECT_EQ(found[0].severity, Severity::kInfo);
  const Json& details = found[0].details;
  EXPECT_EQ(details.at("format"), "Q8_0");
  EXPECT_EQ(details.at("layers"), 12);
  EXPECT_NEAR(details.at("relative_error").get<double>(), 0.0054103, 1e-6);
  EXPECT_EQ(details.at("worst_layer"), "layers.1.self_attn.k_proj");
  EXPECT_NEAR(details.at("worst_relative_error").get<double>(), 0.0057430, 1e-6);
  EXPECT_FALSE(details.contains("output_difference"));
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
