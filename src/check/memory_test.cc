#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/source_dir.h"
#include "check/parts.h"

namespace inlay {
namespace {

class MemoryCheck : public testing::Test {
 protected:
  // Twelve examples of 3,000 tokens, all in one batch.
  MemoryCheck() : examples_(12) {
    for (EncodedExample& example : examples_) {
      example.tokens.ids.assign(3000, 1);
      train_.push_back(&example);
    }
  }

  CheckSubject subject() const {
    return {.model = *model_,
            .method = "lora",
            .fresh = {},
            .data = data_,
            .train = train_,
            .plan = {.seed = 1, .batch_size = 12},
            .memory = MemoryMode::kFast,
            .memory_limit = 1};
  }

  // The tokens at a time that are looked at, where nothing fits.
  static std::vector<int64_t> planned(const CheckSubject& subject, const ProbeCost& cost) {
    Findings findings;
    check_memory(subject, cost, findings);
    std::vector<int64_t> tokens;
    for (const Json& plan : findings.at(0).details.at("plan"))
      tokens.push_back(plan.at("micro_batch_tokens").get<int64_t>());
    std::sort(tokens.begin(), tokens.end());
    return tokens;
  }

  // A step that takes a byte for each token.
  static ProbeCost cost() { return {.step = {1, 1, 1.0}}; }

  std::shared_ptr<const Model> model_ =
      load_model(source_dir() / "tests/golden/models/llama-tied-causal-lm");
  std::vector<EncodedExample> examples_;
  std::vector<const EncodedExample*> train_;
  Dataset data_;
};

using Tokens = std::vector<int64_t>;

TEST_F(MemoryCheck, MicroBatchesByTokensAreMadeSmaller) {
  EXPECT_EQ(planned(subject(), cost()), (Tokens{3000, 4096, 8192}));
}

TEST_F(MemoryCheck, MicroBatchesByExamplesAreWhatTheyAre) {
  CheckSubject counted = subject();
  counted.micro_batch = 5;
  EXPECT_EQ(planned(counted, cost()), Tokens{15000});
  counted.micro_batch = 64;
  EXPECT_EQ(planned(counted, cost()), Tokens{36000});
}

TEST_F(MemoryCheck, AChunkIsNeverParted) {
  ProbeCost chunks = cost();
  chunks.chunk = 4;
  EXPECT_EQ(planned(subject(), chunks), Tokens{12000});
  CheckSubject counted = subject();
  counted.micro_batch = 8;
  EXPECT_EQ(planned(counted, chunks), Tokens{24000});
}

TEST_F(MemoryCheck, ABatchThatIsCoupledIsWhole) {
  ProbeCost whole = cost();
  whole.whole_batches = true;
  EXPECT_EQ(planned(subject(), whole), Tokens{36000});
}

}  // namespace
}  // namespace inlay
