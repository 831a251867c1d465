#include "text/streaming_decoder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/json.h"
#include "base/source_dir.h"
#include "text/utf8.h"

namespace inlay {
namespace {

const std::filesystem::path kStreamingDecoderGoldens = source_dir() / "tests/golden/tokenizers";

Tokenizer variant(const Json& golden) {
  const auto base = golden.at("base").get<std::string>();
  Json file =
      base.empty() ? Json::object() : read_json(kStreamingDecoderGoldens / (base + ".json"));
  file.merge_patch(golden.at("patch"));
  return Tokenizer::parse(file.dump(), "tokenizer.json");
}

// The pieces joined; each of them must be whole characters.
std::string streamed(StreamingDecoder& decoder, const std::vector<int32_t>& ids) {
  std::string all;
  auto take = [&all](const std::string& piece) {
    EXPECT_FALSE(text::first_invalid_utf8(piece).has_value());
    all += piece;
  };
  for (int32_t id : ids) take(decoder.push(id));
  take(decoder.finish());
  return all;
}

// A tokenizer of single tokens and the given decoder.
Tokenizer with_decoder(const std::vector<std::string>& tokens, const char* decoder) {
  Json vocab = Json::object();
  for (std::size_t i = 0; i < tokens.size(); ++i) vocab[tokens[i]] = i;
  const Json file = {{"model", {{"type", "WordLevel"}, {"unk_token", tokens[0]}, {"vocab", vocab}}},
                     {"decoder", Json::parse(decoder)}};
  return Tokenizer::parse(file.dump(), "tokenizer.json");
}

TEST(StreamingDecoder, GivesTheReferencesTextForEveryGolden) {
  std::size_t cases = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(kStreamingDecoderGoldens / "expected")) {
    const Json golden = read_json(entry.path());
    const Tokenizer tokenizer = variant(golden);
    StreamingDecoder decoder(tokenizer);
    for (const Json& expected : golden.at("expected")) {
      if (expected.contains("error")) continue;
      EXPECT_EQ(streamed(decoder, expected["ids"].get<std::vector<int32_t>>()), expected["decoded"])
          << entry.path();
      ++cases;
    }
  }
  EXPECT_GT(cases, 1000u);
}

TEST(StreamingDecoder, GivesTheWholeTextForTokensInAnyOrder) {
  std::mt19937 random(7);
  for (const auto& entry :
       std::filesystem::directory_iterator(kStreamingDecoderGoldens / "expected")) {
    const Tokenizer tokenizer = variant(read_json(entry.path()));
    std::uniform_int_distribution<int32_t> any(0, static_cast<int32_t>(tokenizer.vocab_size()));
    for (int round = 0; round < 20; ++round) {
      std::vector<int32_t> ids(30);
      for (int32_t& id : ids) id = any(random);
      for (bool skip_special : {true, false}) {
        StreamingDecoder decoder(tokenizer, skip_special);
        EXPECT_EQ(streamed(decoder, ids), tokenizer.decode(ids, skip_special)) << entry.path();
      }
    }
  }
}

TEST(StreamingDecoder, HoldsBackACharacterUntilItIsComplete) {
  const Tokenizer tokenizer = with_decoder({"ð", "Ł", "ĺ", "Ģ", "x"}, R"({"type": "ByteLevel"})");
  StreamingDecoder decoder(tokenizer);  // F0 9F 98 80
  EXPECT_EQ(decoder.push(0), "");
  EXPECT_EQ(decoder.push(1), "");
  EXPECT_EQ(decoder.push(2), "");
  EXPECT_EQ(decoder.push(3), "😀");
  EXPECT_EQ(decoder.push(0), "");
  EXPECT_EQ(decoder.push(4), "\uFFFDx");
  EXPECT_EQ(decoder.push(0), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD");
}

TEST(StreamingDecoder, HoldsBackARunOfByteTokensUntilItEnds) {
  const Tokenizer tokenizer = with_decoder(
      {"a", "<0xC3>", "<0xA9>", "▁b"},
      R"({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
          {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})");
  StreamingDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.push(3), "b");  // the space at the very start goes
  EXPECT_EQ(decoder.push(1), "");
  EXPECT_EQ(decoder.push(2), "");
  EXPECT_EQ(decoder.push(3), "é b");
  EXPECT_EQ(decoder.push(2), "");
  EXPECT_EQ(decoder.push(1), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD\uFFFD");
}

TEST(StreamingDecoder, IsAsNewAfterItsEnd) {
  const Tokenizer tokenizer = with_decoder({"▁a"}, R"({"type": "Metaspace", "replacement": "▁"})");
  StreamingDecoder decoder(tokenizer);
  EXPECT_EQ(streamed(decoder, {0, 0}), "a a");
  EXPECT_EQ(streamed(decoder, {0}), "a");
}

TEST(StreamingDecoder, StripsBothEndsOfAFusedText) {
  const Tokenizer tokenizer =
      with_decoder({"_", "a"}, R"({"type": "Sequence", "decoders": [{"type": "Fuse"},
                     {"type": "Strip", "content": "_", "start": 2, "stop": 1}]})");
  StreamingDecoder decoder(tokenizer);
  EXPECT_EQ(streamed(decoder, {0, 0, 0, 1, 0, 0}), "_a_");
  EXPECT_EQ(streamed(decoder, {0, 0}), "");
  EXPECT_EQ(streamed(decoder, {}), "");
}

}  // namespace
}  // namespace inlay
