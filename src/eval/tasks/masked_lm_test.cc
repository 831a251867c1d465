#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/losses.h"
#include "eval/task.h"

namespace inlay {
namespace {

constexpr int32_t kCls = 2, kSep = 3, kMask = 4, kA = 5, kB = 6;

Tokenizer letters() {
  std::string added;
  int32_t id = 0;
  for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    added += fmt::format(R"({}{{"id":{},"content":"{}","special":true,"single_word":false,)"
                         R"("lstrip":false,"rstrip":false,"normalized":false}})",
                         added.empty() ? "" : ",", id++, name);
  }
  return Tokenizer::parse(
      R"({"version":"1.0","added_tokens":[)" + added +
          R"(],"pre_tokenizer":{"type":"Whitespace"},"model":{"type":"WordLevel","unk_token":"[UNK]",
          "vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"a":5,"b":6,"c":7}}})",
      "tokenizer.json");
}

// The logits of a row in which a, b and c have these probabilities.
std::vector<float> row(double a, double b, double c) {
  std::vector<float> logits(8, -1e9f);
  logits[5] = static_cast<float>(std::log(a));
  logits[6] = static_cast<float>(std::log(b));
  logits[7] = static_cast<float>(std::log(c));
  return logits;
}

class MaskedLmTask : public testing::Test {
 protected:
  ModelOutput output(const EncodedExample& posed,
                     const std::vector<std::vector<float>>& rows) const {
    std::vector<float> logits;
    for (const std::vector<float>& one : rows) logits.insert(logits.end(), one.begin(), one.end());
    return {&posed, task_->kept(posed, logits)};
  }

  Tokenizer tokenizer_ = letters();
  std::unique_ptr<Task> task_ = find_task("masked-lm").make({}, 8, {.tokenizer = &tokenizer_});
};

TEST_F(MaskedLmTask, FiguresAreOverTheHiddenTokensOfAllTexts) {
  EncodedExample first, second;
  first.tokens = {{kCls, kMask, kB, kSep}, {}, {1, 2}};
  first.answers = {kA, kB};
  second.tokens = {{kCls, kMask, kSep}, {}, {1}};
  second.answers = {kB};
  std::vector<ModelOutput> outputs{output(first, {row(0.5, 0.25, 0.25), row(0.7, 0.1, 0.2)}),
                                   output(second, {row(0.1, 0.8, 0.1)})};
  Json metrics = task_->metrics(outputs);
  double loss = -(std::log(0.5) + std::log(0.1) + std::log(0.8)) / 3;
  EXPECT_EQ(metrics.at("masked_tokens"), 3);
  EXPECT_NEAR(metrics.at("masked_accuracy").get<double>(), 2.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("loss").get<double>(), loss, 1e-6);
  EXPECT_NEAR(metrics.at("negative_loss").get<double>(), -loss, 1e-6);
  EXPECT_NEAR(metrics.at("perplexity").get<double>(), std::exp(loss), 1e-5);
  const Json& interval = metrics.at("loss_interval");
  EXPECT_LT(interval.at(0).get<double>(), loss);
  EXPECT_GT(interval.at(1).get<double>(), loss);

  Json mistakes = task_->details(outputs).at("mistakes");
  ASSERT_EQ(mistakes.size(), 1u);
  EXPECT_EQ(mistakes[0].at("output"), 0);
  EXPECT_EQ(mistakes[0].at("truth"), "b");
  EXPECT_EQ(mistakes[0].at("prediction"), "a");
  EXPECT_NEAR(mistakes[0].at("probability").get<double>(), 0.7, 1e-6);
}

TEST_F(MaskedLmTask, PredictionsListTheLikeliestTokensOfEachGap) {
  Example source{.text = "a [MASK]"};
  EncodedExample given;
  given.source = &source;
  given.tokens = {{kCls, kA, kMask, kSep}, {}, {}};
  EncodedExample posed = task_->posed(given, {.kind = Occasion::Kind::kAnswer}).value();
  EXPECT_EQ(posed.tokens.ids, given.tokens.ids);
  Json masks = task_->prediction(output(posed, {row(0.2, 0.5, 0.3)})).at("masks");
  ASSERT_EQ(masks.size(), 1u);
  EXPECT_EQ(masks[0].at("position"), 2);
  EXPECT_FALSE(masks[0].contains("truth"));
  std::vector<std::string> tokens;
  for (const Json& one : masks[0].at("top")) tokens.push_back(one.at("token"));
  EXPECT_EQ(std::vector<std::string>(tokens.begin(), tokens.begin() + 3),
            (std::vector<std::string>{"b", "c", "a"}));
  EXPECT_NEAR(masks[0].at("top")[0].at("probability").get<double>(), 0.5, 1e-6);
}

TEST_F(MaskedLmTask, ATextOfSpecialTokensAddsNothing) {
  EncodedExample given;
  given.tokens = {{kCls, kSep}, {}, {}};
  EncodedExample posed = task_->posed(given, {}).value();
  std::vector<const EncodedExample*> batch{&posed};
  EXPECT_EQ(task_->targets(batch).classes, std::vector<int32_t>{kIgnoredLabel});
  EXPECT_EQ(task_->loss_weight(batch), 1);
  ModelOutput nothing = output(posed, {row(0.4, 0.3, 0.3)});
  EXPECT_TRUE(nothing.values.empty());
  Json metrics = task_->metrics(std::vector<ModelOutput>{nothing});
  EXPECT_EQ(metrics.at("masked_tokens"), 0);
  EXPECT_TRUE(metrics.at("loss").is_null());
}

TEST(Tasks, ThoseWithoutAHeadAskABaseAlone) {
  std::vector<std::string> names;
  for (const TaskInfo* info : headless_tasks()) names.push_back(info->name);
  EXPECT_EQ(names, (std::vector<std::string>{"masked-lm", "causal-lm", "causal-choice", "dpo",
                                             "orpo", "sentence-embedding", "sentence-retrieval",
                                             "sentence-triplets", "sentence-similarity",
                                             "image-embedding"}));
  EXPECT_NO_THROW(require_trainable(find_task("masked-lm")));
  EXPECT_THROW(require_trainable(find_task("sentence-embedding")), Error);
}

}  // namespace
}  // namespace inlay
