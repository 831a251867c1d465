#include "eval/masking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/ops/losses.h"
#include "base/error.h"

namespace inlay {
namespace {

constexpr int32_t kWords = 195, kVocabulary = 200;
constexpr int32_t kUnknown = 1, kCls = 2, kSep = 3, kMask = 4;

Tokenizer word_tokenizer(const std::string& mask_name = "[MASK]") {
  std::string vocabulary, added;
  int32_t id = 0;
  for (const std::string& name : {std::string("[PAD]"), std::string("[UNK]"), std::string("[CLS]"),
                                  std::string("[SEP]"), mask_name}) {
    vocabulary += fmt::format("\"{}\":{},", name, id);
    added += fmt::format(R"({}{{"id":{},"content":"{}","special":true,"single_word":false,)"
                         R"("lstrip":false,"rstrip":false,"normalized":false}})",
                         id > 0 ? "," : "", id, name);
    ++id;
  }
  for (; id < kVocabulary; ++id)
    vocabulary += fmt::format("\"w{}\":{}{}", id, id, id + 1 < kVocabulary ? "," : "");
  return Tokenizer::parse(
      fmt::format(
          R"({{"version":"1.0","added_tokens":[{}],"pre_tokenizer":{{"type":"Whitespace"}},)"
          R"("model":{{"type":"WordLevel","unk_token":"[UNK]","vocab":{{{}}}}}}})",
          added, vocabulary),
      "tokenizer.json");
}

class MaskingTest : public testing::Test {
 protected:
  MaskedText hide(const TokenSequence& text, uint32_t epoch, uint32_t example,
                  uint64_t seed = 1) const {
    return masking_.hide(text, {Stream(seed, "test").key(), epoch, example});
  }

  // CLS, words, SEP.
  static TokenSequence text(std::size_t words, uint64_t number) {
    Stream stream(9, "texts");
    TokenSequence sequence{{kCls}, {}, {}};
    for (std::size_t t = 0; t < words; ++t)
      sequence.ids.push_back(5 + static_cast<int32_t>(stream.below(kWords, 1000 * number + t)));
    sequence.ids.push_back(kSep);
    return sequence;
  }

  Tokenizer tokenizer_ = word_tokenizer();
  Masking masking_{tokenizer_, kVocabulary};
};

// Within four standard deviations of a share of n draws.
void expect_share(int64_t count, int64_t n, double share, const char* what) {
  double found = static_cast<double>(count) / static_cast<double>(n);
  EXPECT_NEAR(found, share, 4 * std::sqrt(share * (1 - share) / static_cast<double>(n))) << what;
}

TEST_F(MaskingTest, AboutOneInSevenIsChosenAndEightInTenOfThoseAreMasked) {
  int64_t tokens = 0, chosen = 0, masked = 0, kept = 0, replaced = 0;
  std::vector<int64_t> replacement(kVocabulary);
  for (uint32_t example = 0; example < 2000; ++example) {
    TokenSequence original = text(200, example);
    MaskedText hidden = hide(original, 0, example);
    tokens += 200;
    chosen += static_cast<int64_t>(hidden.answers.size());
    for (std::size_t i = 0; i < hidden.answers.size(); ++i) {
      auto place = static_cast<std::size_t>(hidden.tokens.asked[i]);
      int32_t shown = hidden.tokens.ids[place];
      ASSERT_EQ(hidden.answers[i], original.ids[place]);
      masked += shown == kMask ? 1 : 0;
      kept += shown == hidden.answers[i] ? 1 : 0;
      if (shown != kMask && shown != hidden.answers[i])
        ++replacement[static_cast<std::size_t>(shown)];
    }
  }
  for (int64_t count : replacement) replaced += count;
  expect_share(chosen, tokens, 0.15, "chosen");
  expect_share(masked, chosen, 0.8, "masked");
  // A random token is now and then the one that stood there.
  expect_share(replaced, chosen, 0.1 * (kWords - 1) / kWords, "replaced");
  expect_share(kept, chosen, 0.1 + 0.1 / kWords, "kept");
  for (int32_t id = 0; id < kVocabulary; ++id) {
    if (id < 5) {
      EXPECT_EQ(replacement[static_cast<std::size_t>(id)], 0) << "a special token was put in";
    } else {
      expect_share(replacement[static_cast<std::size_t>(id)], replaced, 1.0 / kWords, "each word");
    }
  }
}

TEST_F(MaskingTest, SpecialTokensAreNeverChosenAndTheRestStays) {
  for (uint32_t example = 0; example < 300; ++example) {
    TokenSequence original = text(6, example);
    original.ids[2] = kUnknown;
    original.ids[4] = kMask;
    MaskedText hidden = hide(original, 3, example);
    std::set<int32_t> asked(hidden.tokens.asked.begin(), hidden.tokens.asked.end());
    EXPECT_FALSE(asked.empty());
    for (std::size_t t = 0; t < original.ids.size(); ++t) {
      bool is_asked = asked.contains(static_cast<int32_t>(t));
      EXPECT_FALSE(is_asked && original.ids[t] < 5) << "a special token was chosen";
      if (!is_asked) {
        EXPECT_EQ(hidden.tokens.ids[t], original.ids[t]);
      }
    }
  }
}

TEST_F(MaskingTest, DrawsDependOnSeedEpochExampleAndTokenAlone) {
  TokenSequence original = text(30, 5);
  MaskedText hidden = hide(original, 2, 7);
  EXPECT_EQ(hide(original, 2, 7).tokens.ids, hidden.tokens.ids);
  EXPECT_NE(hide(original, 3, 7).tokens.asked, hidden.tokens.asked);
  EXPECT_NE(hide(original, 2, 8).tokens.asked, hidden.tokens.asked);
  EXPECT_NE(hide(original, 2, 7, 2).tokens.asked, hidden.tokens.asked);
  // What follows a token does not matter to it.
  TokenSequence longer = original;
  longer.ids.insert(longer.ids.end(), 30, 17);
  MaskedText more = hide(longer, 2, 7);
  ASSERT_GE(more.tokens.asked.size(), hidden.tokens.asked.size());
  for (std::size_t i = 0; i < hidden.tokens.asked.size(); ++i)
    EXPECT_EQ(more.tokens.asked[i], hidden.tokens.asked[i]);
}

TEST_F(MaskingTest, AShortTextHasOneChosenTokenAtLeast) {
  for (uint32_t example = 0; example < 300; ++example)
    EXPECT_GE(hide(text(1, example), 0, example).answers.size(), 1u);
}

TEST_F(MaskingTest, ATextOfSpecialTokensAsksNothingThatCounts) {
  MaskedText hidden = hide({{kCls, kUnknown, kSep}, {}, {}}, 0, 0);
  EXPECT_EQ(hidden.tokens.ids, (std::vector<int32_t>{kCls, kUnknown, kSep}));
  EXPECT_EQ(hidden.tokens.asked, std::vector<int32_t>{0});
  EXPECT_EQ(hidden.answers, std::vector<int32_t>{kIgnoredLabel});
}

TEST_F(MaskingTest, AGivenTextIsAskedAboutItsGaps) {
  MaskedText asked = masking_.as_given({{kCls, kMask, 9, kMask, kSep}, {}, {}});
  EXPECT_EQ(asked.tokens.ids, (std::vector<int32_t>{kCls, kMask, 9, kMask, kSep}));
  EXPECT_EQ(asked.tokens.asked, (std::vector<int32_t>{1, 3}));
  EXPECT_TRUE(masking_.as_given({{kCls, 9, kSep}, {}, {}}).tokens.asked.empty());
}

TEST(Masking, NeedsATokenizerWithAMaskTokenOfThisModel) {
  Tokenizer without = word_tokenizer("[GAP]");
  EXPECT_THROW(Masking(without, kVocabulary), Error);
  Tokenizer tokenizer = word_tokenizer();
  EXPECT_THROW(Masking(tokenizer, 4), Error) << "the mask token is beyond the vocabulary";
  EXPECT_THROW(Masking(tokenizer, 5), Error) << "nothing but special tokens is left";
}

}  // namespace
}  // namespace inlay
