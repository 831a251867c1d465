// Preference learning against PyTorch, through the pass that training runs: what the base alone
// gives for both answers, the losses, and the gradient of every tensor of a LoRA.
#include <cmath>

#include "eval/answer_pair.h"
#include "eval/batch_pass.h"
#include "golden_case.h"

namespace inlay {
namespace {

struct Case {
  const char* folder;  // which of the losses
  DType compute;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (DType compute : {DType::kF64, DType::kF32, DType::kBF16}) {
    for (const char* loss : {"dpo", "dpo-smoothed", "orpo"}) cases.push_back({loss, compute});
  }
  return cases;
}

class PreferenceGolden : public testing::TestWithParam<Case> {
 protected:
  PreferenceGolden() : golden_("llama-causal-lm", "llama-preference", GetParam().compute) {
    learner_.model = golden_.model;
    learner_.adapter = golden_.load_with_head("llama-lora");
    bool smoothed = loss_name() == "dpo-smoothed";
    set_task(learner_, find_task(smoothed ? "dpo" : loss_name()),
             {.options = {.label_smoothing = smoothed ? 0.2 : 0.0, .beta = 0.5}});
    activate(golden_.context, learner_);
    read_pairs();
    // References are what evaluation computes, in single precision at most.
    bool exact = GetParam().compute == DType::kF64;
    add_reference(*golden_.model, exact ? DType::kF32 : GetParam().compute, pairs_);
    for (const EncodedExample& pair : pairs_) all_.push_back(&pair);
  }

  static std::string loss_name() { return GetParam().folder; }
  static double tolerance() { return golden_tolerance(GetParam().compute); }

  // A row of the batch, asked about all that comes behind its prompt.
  TokenSequence sequence(std::size_t row, int64_t prompt, EncodedExample& pair) const {
    const std::vector<int64_t>& offsets = golden_.batch.tokens.example_offsets;
    const std::vector<int32_t>& ids = golden_.batch.ids;
    TokenSequence sequence;
    sequence.ids = {ids.begin() + offsets[row], ids.begin() + offsets[row + 1]};
    for (std::size_t t = static_cast<std::size_t>(prompt); t < sequence.ids.size(); ++t) {
      sequence.asked.push_back(static_cast<int32_t>(t) - 1);
      pair.answers.push_back(sequence.ids[t]);
    }
    return sequence;
  }

  void read_pairs() {
    Tensor prompts = golden_.expected("prompts");
    for (int64_t p = 0; p < prompts.count(); ++p) {
      EncodedExample& pair = pairs_.emplace_back();
      auto row = static_cast<std::size_t>(2 * p);
      pair.tokens = sequence(row, prompts.data<int64_t>()[p], pair);
      pair.further.push_back(sequence(row + 1, prompts.data<int64_t>()[p], pair));
    }
  }

  GoldenCase golden_;
  Learner learner_;
  std::vector<EncodedExample> pairs_;
  std::vector<const EncodedExample*> all_;
};

TEST_P(PreferenceGolden, TheBaseAloneGivesTheReference) {
  Tensor expected = golden_.expected("reference");
  for (int64_t i = 0; i < expected.count(); ++i) {
    auto at = static_cast<std::size_t>(i);
    double value = in(expected).load<double>(i);
    EXPECT_NEAR(pairs_[at / 2].reference[at % 2], value, tolerance() * std::fabs(value)) << i;
  }
}

TEST_P(PreferenceGolden, LossAndGradientsAgreeInOneMicroBatchAndInSeveral) {
  double expected = in(golden_.expected("loss." + loss_name())).load<double>(0);
  for (int64_t micro_batch : {0, 1}) {
    EXPECT_NEAR(pass_batch(golden_.context, learner_, all_, micro_batch), expected,
                tolerance() * expected);
    std::size_t compared = 0;
    for (Adapter::Entry& entry : learner_.adapter->entries()) {
      std::string name = "grad." + loss_name() + ".base_model.model." +
                         golden_.model->facts().prefix + entry.parameter.name();
      // The gradients of two answers to one prompt cancel in part, and their rounding does not.
      bool narrow = GetParam().compute == DType::kBF16;
      expect_tensor(entry.parameter.take_gradient(), golden_.expected(name),
                    narrow ? 2 * tolerance() : tolerance(), name);
      ++compared;
    }
    EXPECT_EQ(compared, 28u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PreferenceGolden, testing::ValuesIn(all_cases()),
                         golden_case_name<Case>);

}  // namespace
}  // namespace inlay
