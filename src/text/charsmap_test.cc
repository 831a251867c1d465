#include "text/charsmap.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/source_dir.h"
#include "text/base64.h"
#include "text/normalizer.h"
#include "text/sentence_piece_model.h"

namespace inlay::text {
namespace {

const std::filesystem::path kModels = source_dir() / "tests/golden/tokenizers/sentence_piece";

// That of SentencePiece's nmt_nfkc.
std::string published() {
  return parse_sentence_piece_model(read_file(kModels / "t5/spiece.model"), "t5").charsmap;
}

std::unique_ptr<const Normalizer> normalizer(std::string_view charsmap) {
  const Json json = {{"type", "Precompiled"}, {"precompiled_charsmap", encode_base64(charsmap)}};
  return build_normalizer(Component(json, "tokenizer.json: normalizer"));
}

std::string normalized(const Normalizer& normalizer, const std::string& text) {
  AlignedText aligned(text);
  normalizer.normalize(aligned);
  return aligned.bytes();
}

std::string u32(std::initializer_list<uint32_t> values) {
  std::string bytes;
  for (uint32_t value : values) {
    for (int shift : {0, 8, 16, 24}) bytes += static_cast<char>(value >> shift & 0xFF);
  }
  return bytes;
}

std::string message_of(std::string_view charsmap) {
  try {
    normalized(*normalizer(charsmap), "abc");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Charsmap, NormalizesEveryCharacterAsTheReference) {
  const auto all = normalizer(published());
  Sha256 hash;
  for (char32_t c = 1; c < 0x110000; ++c) {
    if (c == 0xD800) c = 0xE000;
    std::string s;
    append_utf8(s, c);
    for (const std::string& text : {s, s + "\u0301", "e" + s, s + "\u200d" + s}) {
      hash.update(normalized(*all, text) + "\n");
    }
  }
  EXPECT_EQ(hex(hash.finish()), read_json(kModels / "charsmap.json")["sha256"]);
}

TEST(Charsmap, FindsWhatTheShortestBeginningBecomes) {
  const Charsmap map(published(), "charsmap");
  EXPECT_EQ(map.find("ﬁx"), "fi");
  EXPECT_EQ(map.find("①"), "1");
  EXPECT_EQ(map.find("x"), std::nullopt);
  EXPECT_EQ(map.find(""), std::nullopt);
  EXPECT_EQ(map.find(std::string_view("\0", 1)), std::nullopt);
}

TEST(Charsmap, RefusesBytesThatAreNone) {
  EXPECT_NE(message_of("").find("the charsmap has 0 bytes"), std::string::npos);
  EXPECT_NE(message_of(u32({0})).find("its trie has 0 bytes"), std::string::npos);
  EXPECT_NE(message_of(u32({8, 1})).find("its trie has 8 bytes; expected a multiple of 4 up to 4"),
            std::string::npos);
  EXPECT_NE(message_of(u32({4, 1}) + "\xFF").find("not valid UTF-8 at byte 0"), std::string::npos);
}

TEST(Charsmap, RefusesPointersOutsideItsReplacements) {
  // "a" (0x61) has a value: its unit is at 1 ^ 0x61, and the value at that ^ 1.
  std::vector<uint32_t> units(0x62, 0);
  units[0] = 1u << 10;
  units[0x60] = 1u << 10 | 1u << 8 | 'a';
  auto bytes = [&](uint32_t value) {
    units[0x61] = value;
    std::string all = u32({static_cast<uint32_t>(4 * units.size())});
    for (uint32_t unit : units) all += u32({unit});
    return all + "é";
  };
  EXPECT_EQ(normalized(*normalizer(bytes(0)), "abca"), "ébcé");
  EXPECT_EQ(normalized(*normalizer(bytes(2)), "abca"), "bc");
  EXPECT_NE(message_of(bytes(1)).find("points to byte 1 of its 2"), std::string::npos);
  EXPECT_NE(message_of(bytes(1000)).find("points to byte 1000"), std::string::npos);
}

TEST(Charsmap, MakesNoTextGrowWithoutBound) {
  std::vector<uint32_t> units(0x62, 0);
  units[0] = 1u << 10;
  units[0x60] = 1u << 10 | 1u << 8 | 'a';
  std::string bytes = u32({static_cast<uint32_t>(4 * units.size())});
  for (uint32_t unit : units) bytes += u32({unit});
  const auto all = normalizer(bytes + std::string(1 << 20, 'x'));
  EXPECT_EQ(normalized(*all, "b"), "b");
  EXPECT_THROW(normalized(*all, std::string(10'000, 'a')), Error);
}

TEST(Charsmap, SurvivesDamage) {
  std::mt19937 random(3);
  std::string bytes = published();
  for (int round = 0; round < 30; ++round) {
    std::string damaged = bytes;
    for (int i = 0; i < 2000; ++i)
      damaged[4 + random() % (damaged.size() - 4)] = static_cast<char>(random());
    try {
      const Charsmap map(damaged, "charsmap");
      for (char32_t c = 1; c < 0x3000; ++c) {
        std::string s;
        append_utf8(s, c);
        map.find(s);
      }
    } catch (const Error&) {
    }
  }
}

TEST(Base64, ReadsWhatItWrites) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
  EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(encode_base64("fooba"), "Zm9vYmE=");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text :
       {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9_", "Zh==", "Zm9vYmF="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace inlay::text
