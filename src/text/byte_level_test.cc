// Byte-level tokenizers lose nothing: whatever text goes in comes out again.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/json.h"
#include "base/source_dir.h"
#include "text/streaming_decoder.h"
#include "text/utf8.h"

namespace inlay {
namespace {

const std::filesystem::path kByteLevelGoldens = source_dir() / "tests/golden/tokenizers";

Tokenizer variant(const char* name) {
  const Json golden = read_json(kByteLevelGoldens / "expected" / (std::string(name) + ".json"));
  Json file = read_json(kByteLevelGoldens / (golden.at("base").get<std::string>() + ".json"));
  file.merge_patch(golden.at("patch"));
  return Tokenizer::parse(file.dump(), name);
}

// Letters of several scripts, marks, digits, white space, signs, emoji, and any other characters.
std::string random_text(std::mt19937& random) {
  static constexpr char32_t kStarts[] = {0x20,  0x30,   0x41,   0x61,   0x300,   0x400,
                                         0x5D0, 0x200B, 0x3040, 0x4E00, 0x1F600, 0xE000};
  std::string text;
  const auto length = random() % 60;
  for (unsigned i = 0; i < length; ++i) {
    const char32_t start = kStarts[random() % std::size(kStarts)];
    char32_t c = random() % 8 == 0 ? random() % 0x110000 : start + random() % 16;
    if (c >= 0xD800 && c < 0xE000) c = U'\n';
    text::append_utf8(text, c);
    if (random() % 4 == 0) text += random() % 2 == 0 ? " " : "\n\t";
  }
  return text;
}

class ByteLevelRoundTrip : public testing::TestWithParam<const char*> {};

TEST_P(ByteLevelRoundTrip, GivesBackAnyText) {
  const Tokenizer tokenizer = variant(GetParam());
  StreamingDecoder decoder(tokenizer, false);
  std::mt19937 random(11);
  for (int round = 0; round < 1000; ++round) {
    const std::string text = random_text(random);
    const Encoding e = tokenizer.encode(text, {.add_special_tokens = false});
    ASSERT_EQ(tokenizer.decode(e.ids, false), text);
    std::string streamed;
    for (int32_t id : e.ids) streamed += decoder.push(id);
    ASSERT_EQ(streamed + decoder.finish(), text);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, ByteLevelRoundTrip,
                         testing::Values("gpt2", "llama3", "smollm", "o200k", "deepseek"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace inlay
