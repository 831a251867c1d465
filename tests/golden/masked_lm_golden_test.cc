// The tasks that need no trained head, against PyTorch: hidden tokens through the rows that are
// asked about alone, and embeddings by pooling.
#include <cmath>

#include "eval/learner.h"
#include "golden_case.h"

namespace inlay {
namespace {

struct MaskedLmCase {
  const char* family;
  DType compute;
};

std::string case_name(const testing::TestParamInfo<MaskedLmCase>& info) {
  return std::string(info.param.family) + "_" + std::string(dtype_name(info.param.compute));
}

std::vector<MaskedLmCase> all_masked_lm_cases() {
  std::vector<MaskedLmCase> cases;
  for (const char* family : {"bert", "roberta", "distilbert"}) {
    for (DType compute : {DType::kF64, DType::kF32, DType::kBF16})
      cases.push_back({family, compute});
  }
  return cases;
}

class MaskedLmGolden : public testing::TestWithParam<MaskedLmCase> {
 protected:
  MaskedLmGolden()
      : golden_(std::string(GetParam().family) + "-masked-lm",
                std::string(GetParam().family) + "-masked-lm", GetParam().compute) {
    // The same batch, asked about the places that have a label.
    std::vector<int32_t> labels = golden_.class_labels();
    const std::vector<int64_t>& offsets = golden_.batch.tokens.example_offsets;
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
      auto begin = golden_.batch.ids.begin() + offsets[i],
           end = begin + offsets[i + 1] - offsets[i];
      auto types = golden_.batch.types.begin() + offsets[i];
      sequences_.push_back({{begin, end}, {types, types + (end - begin)}, {}});
      for (int64_t row = offsets[i]; row < offsets[i + 1]; ++row) {
        int32_t label = labels[static_cast<std::size_t>(row)];
        if (label == kIgnoredLabel) continue;
        sequences_.back().asked.push_back(static_cast<int32_t>(row - offsets[i]));
        rows_.push_back(row);
        answers_.push_back(label);
      }
    }
    std::vector<const TokenSequence*> pointers;
    for (const TokenSequence& sequence : sequences_) pointers.push_back(&sequence);
    batch_ = make_token_batch(pointers, {.first_position = golden_.model->facts().first_position});
    learner_.model = golden_.model;
    learner_.layer = OutputLayer::kMaskedLm;
  }

  double tolerance() const { return golden_tolerance(GetParam().compute); }

  GoldenCase golden_;
  std::vector<TokenSequence> sequences_;
  std::vector<int64_t> rows_;  // of the whole batch, asked about
  std::vector<int32_t> answers_;
  TokenBatch batch_;
  Learner learner_;
};

TEST_P(MaskedLmGolden, LogitsOfAskedRowsAreThoseOfTheWhole) {
  ASSERT_EQ(batch_.asked, rows_);
  Tensor found = learner_logits(golden_.context, learner_, batch_).value();
  Tensor whole = golden_.expected("logits");
  int64_t width = found.dim(1);
  Tensor expected = Tensor::empty(found.shape(), DType::kF64);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    for (int64_t c = 0; c < width; ++c) {
      expected.mutable_data<double>()[static_cast<int64_t>(i) * width + c] =
          in(whole).load<double>(rows_[i] * width + c);
    }
  }
  expect_tensor(found, expected, tolerance(), "logits");
}

TEST_P(MaskedLmGolden, LossAndGradientsOfAskedRowsAreThoseOfTheWhole) {
  auto full = Adapter::create("full", parse_method("full"), golden_.model->facts(), 1);
  for (Adapter::Entry& entry : full->entries())
    golden_.set(entry.parameter, entry.parameter.value());
  golden_.context.adapters = {{.hooks = full.get()}};
  Variable logits = learner_logits(golden_.context, learner_, batch_);
  Variable losses = cross_entropy(golden_.context, logits, answers_,
                                  {.normalizer = cross_entropy_weight(answers_, {})});
  double sum = 0;
  Tensor ones = Tensor::empty(losses.shape(), losses.dtype());
  for (int64_t i = 0; i < losses.value().count(); ++i) {
    sum += in(losses.value()).load<double>(i);
    out(ones).store(i, 1.0);
  }
  double expected = in(golden_.expected("loss")).load<double>(0);
  EXPECT_NEAR(sum, expected, tolerance() * std::max(1.0, std::fabs(expected)));

  golden_.context.tape.backward(losses, ones);
  const std::string& prefix = golden_.model->facts().prefix;
  std::size_t compared = 0;
  for (Adapter::Entry& entry : full->entries()) {
    const std::string& bare = entry.parameter.name();
    std::string name = fmt::format("grad.{}{}", golden_.has("grad." + bare) ? "" : prefix, bare);
    Tensor gradient = entry.parameter.take_gradient();
    if (!golden_.has(name)) continue;
    bool rounding = bare.ends_with("key.bias") || bare.ends_with("k_lin.bias");
    ASSERT_TRUE(gradient.defined()) << name;
    expect_tensor(gradient, golden_.expected(name), (rounding ? 1000 : 1) * tolerance(), name);
    ++compared;
  }
  EXPECT_GT(compared, 20u);
}

// Rows of the table are trained, and the decoder that is tied to it reads them, too.
TEST_P(MaskedLmGolden, Trap18TrainedTokensAreThoseOfTheTiedDecoder) {
  std::string base = std::string(GetParam().family) + "-masked-lm";
  GoldenCase golden(base, std::string(GetParam().family) + "-trainable-tokens-masked-lm",
                    GetParam().compute);
  auto tokens =
      Adapter::create("tokens", parse_method("trainable_tokens[token_indices=30+2+4+17+9+41+5]"),
                      golden.model->facts(), 1);
  ASSERT_EQ(tokens->entries().size(), 1u);
  Parameter& delta = tokens->entries().front().parameter;
  golden.set(delta, golden.expected("value." + delta.name()));
  golden.context.adapters = {{.hooks = tokens.get()}};
  Variable logits = golden.model->masked_lm_logits(golden.context, golden.encode());
  expect_tensor(logits.value(), golden.expected("logits"), tolerance(), "logits");
  golden.backward(logits);
  Tensor gradient = delta.take_gradient();
  ASSERT_TRUE(gradient.defined());
  expect_tensor(gradient, golden.expected("grad." + delta.name()), tolerance(), delta.name());
}

INSTANTIATE_TEST_SUITE_P(Families, MaskedLmGolden, testing::ValuesIn(all_masked_lm_cases()),
                         case_name);

TEST(SentenceEmbeddingGolden, IsThePooledHiddenStateAtLengthOne) {
  for (const char* family : {"bert", "roberta", "distilbert"}) {
    std::string folder = std::string(family) + "-sentence-embedding";
    GoldenCase golden(folder, folder, DType::kF32);
    Learner learner;
    learner.model = golden.model;
    set_task(learner, find_task("sentence-embedding"), {});
    std::vector<EncodedExample> examples(static_cast<std::size_t>(golden.batch.example_count()));
    std::vector<const EncodedExample*> all;
    Example source;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      int64_t begin = golden.batch.tokens.example_offsets[i];
      int64_t end = golden.batch.tokens.example_offsets[i + 1];
      examples[i].source = &source;
      examples[i].tokens.ids = {golden.batch.ids.begin() + begin, golden.batch.ids.begin() + end};
      examples[i].tokens.types = {golden.batch.types.begin() + begin,
                                  golden.batch.types.begin() + end};
      all.push_back(&examples[i]);
    }
    Tensor pooled = golden.expected("logits");
    std::vector<ModelOutput> outputs = predict(golden.context, learner, all);
    ASSERT_EQ(outputs.size(), examples.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      auto found = learner.task->prediction(outputs[i]).at("embedding").get<std::vector<double>>();
      auto width = static_cast<int64_t>(found.size());
      ASSERT_EQ(width, pooled.dim(1));
      double square = 0;
      auto expected = [&](int64_t c) {
        return in(pooled).load<double>(static_cast<int64_t>(i) * width + c);
      };
      for (int64_t c = 0; c < width; ++c) square += expected(c) * expected(c);
      for (int64_t c = 0; c < width; ++c) {
        EXPECT_NEAR(found[static_cast<std::size_t>(c)], expected(c) / std::sqrt(square),
                    golden_tolerance(DType::kF32))
            << family << ", example " << i << ", channel " << c;
      }
    }
  }
}

}  // namespace
}  // namespace inlay
