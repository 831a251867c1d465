#include "eval/rolling_windows.h"

#include <gtest/gtest.h>

#include "eval/decoder_case.h"

namespace inlay {
namespace {

using Ids = std::vector<int32_t>;

// A text whose every token but the first is asked for.
EncodedExample text_of(const Ids& ids, const Example& source) {
  EncodedExample text;
  text.source = &source;
  text.tokens.ids = ids;
  for (std::size_t t = 1; t < ids.size(); ++t) {
    text.tokens.asked.push_back(static_cast<int32_t>(t) - 1);
    text.answers.push_back(ids[t]);
  }
  return text;
}

TEST(RollingWindows, OverlapAndAskForEveryTokenOnce) {
  Example source;
  auto windows =
      rolling_windows({text_of({0, 1, 2, 3, 4, 5, 6, 7, 8}, source)}, {.length = 5, .stride = 2});
  ASSERT_EQ(windows.size(), 3u);
  EXPECT_EQ(windows[0].tokens.ids, (Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(windows[0].tokens.asked, (Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(windows[0].answers, (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(windows[1].tokens.ids, (Ids{2, 3, 4, 5, 6}));
  EXPECT_EQ(windows[1].tokens.asked, (Ids{3, 4}));
  EXPECT_EQ(windows[1].answers, (Ids{6, 7}));
  EXPECT_EQ(windows[2].tokens.ids, (Ids{4, 5, 6, 7}));
  EXPECT_EQ(windows[2].tokens.asked, Ids{3});
  EXPECT_EQ(windows[2].answers, Ids{8});
  EXPECT_EQ(windows[2].source, &source);
}

TEST(RollingWindows, AShortTextIsOneWindowAndASingleTokenNone) {
  Example source;
  auto windows = rolling_windows({text_of({4, 5, 6}, source), text_of({7}, source)},
                                 {.length = 5, .stride = 5});
  ASSERT_EQ(windows.size(), 1u);
  EXPECT_EQ(windows[0].tokens.ids, (Ids{4, 5}));
  EXPECT_EQ(windows[0].answers, (Ids{5, 6}));
}

// As in a conversation, of which only answers count.
TEST(RollingWindows, AWindowWithoutAnythingAskedIsLeftOut) {
  Example source;
  EncodedExample text = text_of({0, 1, 2, 3, 4, 5, 6, 7, 8}, source);
  text.tokens.asked = {6, 7};
  text.answers = {7, 8};
  auto windows = rolling_windows({text}, {.length = 5, .stride = 2});
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(windows[0].tokens.ids, (Ids{2, 3, 4, 5, 6}));
  EXPECT_EQ(windows[0].tokens.asked, Ids{4});
  EXPECT_EQ(windows[1].answers, Ids{8});
}

std::string refusal(const std::vector<EncodedExample>& texts, const WindowPlan& plan) {
  try {
    rolling_windows(texts, plan);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(RollingWindows, StridesThatSkipOrStandStillAreRefused) {
  for (int64_t stride : {-1, 0, 6}) {
    EXPECT_EQ(refusal({}, {.length = 5, .stride = stride}),
              fmt::format("window_stride is {}; expected 1 to 5, the tokens that a window holds "
                          "(max_length)",
                          stride));
  }
  Example source;
  EXPECT_NE(refusal({text_of(Ids(40000, 1), source)}, {.length = 20000, .stride = 1})
                .find("raise window_stride"),
            std::string::npos);
}

// What the model gives for a token after these tokens alone.
double by_hand(const Model& model, std::span<const int32_t> before, int32_t id) {
  Context context(DType::kF32);
  context.tape.set_recording(false);
  TokenSequence sequence{{before.begin(), before.end()}, {}, {}};
  const TokenSequence* one = &sequence;
  TokenBatch batch = make_token_batch({&one, 1}, {});
  Tensor logits = model.next_token_logits(context, model.encode(context, batch)).value();
  int64_t width = logits.dim(1);
  const float* last = logits.data<float>() + (logits.dim(0) - 1) * width;
  return log_probability({last, static_cast<std::size_t>(width)}, id);
}

TEST(RollingWindows, EachTokenHasTheProbabilityThatItsWindowGives) {
  constexpr std::size_t kLength = 8, kTokens = 23;
  DecoderCase decoder;
  Learner learner = decoder.learner("causal-lm");
  Ids ids;
  for (std::size_t t = 0; t < kTokens; ++t) ids.push_back(static_cast<int32_t>((t * 37 + 11) % 96));
  Example source;
  for (std::size_t stride : {1, 3, 5, 8}) {
    auto windows = rolling_windows({text_of(ids, source)},
                                   {.length = kLength, .stride = static_cast<int64_t>(stride)});
    std::vector<ModelOutput> outputs = predicted(learner, windows);
    std::vector<float> losses;
    for (const ModelOutput& output : outputs)
      losses.insert(losses.end(), output.values.begin(), output.values.end());
    ASSERT_EQ(losses.size(), kTokens - 1) << stride;
    double sum = 0;
    for (std::size_t t = 1; t < kTokens; ++t) {
      // The first window that reads up to the token before t.
      std::size_t begin = t <= kLength ? 0 : (t - kLength + stride - 1) / stride * stride;
      double expected = by_hand(*decoder.model, std::span(ids).subspan(begin, t - begin), ids[t]);
      EXPECT_NEAR(-losses[t - 1], expected, 1e-5) << stride << " at " << t;
      sum += expected;
    }
    Json metrics = learner.task->metrics(outputs);
    EXPECT_EQ(metrics.at("tokens"), kTokens - 1);
    EXPECT_NEAR(metrics.at("loss").get<double>(), -sum / (kTokens - 1), 1e-5);
  }
}

}  // namespace
}  // namespace inlay
