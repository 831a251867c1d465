// The real model, as `inlay pull all-minilm-l6-v2` imports it: cosines of sentence embeddings (mean
// over the tokens, f32) against those of the same weights run outside Inlay. Needs the pulled
// model; without it the test says so and is counted as skipped.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numeric>

#include "autograd/ops/pooling.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// Where pull puts the model (hub/pull.h); this program is not linked with the network code.
fs::path pulled_model() {
  const char* home = std::getenv("INLAY_HOME");
  const char* user = std::getenv("HOME");
  fs::path root = home != nullptr ? fs::path(home) : fs::path(user ? user : "") / ".cache/inlay";
  return root / "catalogue" / "all-minilm-l6-v2";
}

class MiniLmSimilarity : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(pulled_model() / "source.json")) {
      GTEST_SKIP() << "not run: all-minilm-l6-v2 is not in " << pulled_model().string()
                   << "; bring it with: inlay pull all-minilm-l6-v2";
    }
    model_ = load_model(pulled_model());
    tokenizer_ = std::make_unique<Tokenizer>(Tokenizer::load(pulled_model()));
  }

  double cosine(const std::string& a, const std::string& b) const {
    std::vector<TokenSequence> texts;
    for (const std::string& text : {a, b}) {
      Encoding encoding = tokenizer_->encode(text);
      texts.push_back({encoding.ids, encoding.type_ids});
    }
    std::vector<const TokenSequence*> sequences{&texts[0], &texts[1]};
    Context context(DType::kF32);
    context.tape.set_recording(false);
    TokenBatch batch =
        make_token_batch(sequences, {.first_position = model_->facts().first_position});
    Variable means =
        pooling(context, model_->encode(context, batch), Pooling::kMean, &batch.examples);
    const auto* x = means.value().data<float>();
    const auto* y = x + means.channels();
    auto dot = [&](const float* p, const float* q) {
      return std::inner_product(p, p + means.channels(), q, 0.0);
    };
    return dot(x, y) / std::sqrt(dot(x, x) * dot(y, y));
  }

  std::shared_ptr<const Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

// Half a unit of the third decimal, to which the figures are known.
constexpr double kRounding = 0.0005;

TEST_F(MiniLmSimilarity, SentencesAreAsCloseAsTheImportPromises) {
  const char* eating = "A man is eating food.";
  EXPECT_NEAR(cosine(eating, "A man is eating a piece of bread."), 0.757, kRounding);
  EXPECT_NEAR(cosine("This is an example sentence", "Each sentence is converted"), 0.400,
              kRounding);
  EXPECT_NEAR(cosine(eating, "The girl is carrying a baby."), -0.094, kRounding);
}

}  // namespace
}  // namespace inlay
