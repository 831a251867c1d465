#include "text/tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/source_dir.h"

namespace inlay {
namespace {

const std::filesystem::path kTokenizerGoldens = source_dir() / "tests/golden/tokenizers";

Tokenizer word_piece() { return Tokenizer::load(kTokenizerGoldens / "word_piece.json"); }
Tokenizer byte_level() { return Tokenizer::load(kTokenizerGoldens / "byte_level.json"); }

// The word-piece golden with a merge patch.
Tokenizer patched(const Json& patch) {
  Json file = read_json(kTokenizerGoldens / "word_piece.json");
  file.merge_patch(patch);
  return Tokenizer::parse(file.dump(), "tokenizer.json");
}

template <class Call>
std::string tokenizer_message_of(Call call, ErrorKind kind = ErrorKind::kInput) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "no error";
}

// A folder for one test, gone at its end.
class TokenizerFolder {
 public:
  explicit TokenizerFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("inlay_text_" + name + "_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~TokenizerFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }
  void write(const char* name, const std::string& text) const {
    write_file_atomically(path_ / name, text);
  }

 private:
  std::filesystem::path path_;
};

TEST(Tokenizer, KnowsItsVocabularyBothWays) {
  const Tokenizer tokenizer = word_piece();
  const auto id = tokenizer.token_to_id("hello");
  ASSERT_TRUE(id);
  EXPECT_EQ(tokenizer.id_to_token(*id), "hello");
  EXPECT_EQ(tokenizer.token_to_id("nowhere"), std::nullopt);
  const auto size = static_cast<int64_t>(
      read_json(kTokenizerGoldens / "word_piece.json")["model"]["vocab"].size());
  EXPECT_EQ(tokenizer.vocab_size(), size);
  EXPECT_EQ(tokenizer_message_of([&] { tokenizer.id_to_token(99'999); }, ErrorKind::kUsage),
            fmt::format("id 99999 belongs to no token; the tokenizer has {} tokens", size));
}

TEST(Tokenizer, CountsAddedTokensInItsSize) {
  const int64_t size = word_piece().vocab_size();
  Json added = read_json(kTokenizerGoldens / "word_piece.json")["added_tokens"];
  added.push_back({{"id", size + 5}, {"content", "<new>"}, {"special", true}});
  const Tokenizer tokenizer = patched({{"added_tokens", added}});
  EXPECT_EQ(tokenizer.vocab_size(), size + 1);
  EXPECT_EQ(tokenizer.id_to_token(static_cast<int32_t>(size) + 5), "<new>");
}

TEST(Tokenizer, GivesOffsetsInCharactersOfTheOriginalText) {
  const Encoding e = word_piece().encode("Ça va, naïve?", {.add_special_tokens = false});
  ASSERT_FALSE(e.offsets.empty());
  EXPECT_EQ(e.offsets.front().first, 0);
  EXPECT_EQ(e.offsets.back(), (std::pair<int32_t, int32_t>(12, 13)));
}

TEST(Tokenizer, ReportsTheLengthBeforeTruncation) {
  const Encoding e = word_piece().encode("a b c d e f", {.max_length = 4});
  EXPECT_EQ(e.size(), 4u);
  EXPECT_EQ(e.tokens_before_truncation, 8);
}

TEST(Tokenizer, RefusesALimitWithoutRoomForSpecialTokens) {
  EXPECT_EQ(
      tokenizer_message_of([] { word_piece().encode("a", {.max_length = 1}); }, ErrorKind::kUsage),
      "max_length 1 has no room for the 2 special tokens; use at least 3");
}

TEST(Tokenizer, NamesTheByteOfInvalidText) {
  EXPECT_EQ(tokenizer_message_of([] { word_piece().encode("good \xE4\xB8 bad"); }),
            "the text is not valid UTF-8: byte 0xE4 at offset 5; convert it to UTF-8");
}

TEST(Tokenizer, NamesUnknownComponentsAndTheirPlace) {
  EXPECT_EQ(
      tokenizer_message_of([] {
        patched(
            {{"normalizer",
              {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "Kmt"}}}}}}});
      }),
      "tokenizer.json: normalizer[1]: type \"Kmt\" is not supported; supported: "
      "BertNormalizer, Strip, StripAccents, "
      "NFC, NFD, NFKC, NFKD, Lowercase, Nmt, Precompiled, Replace, Prepend, ByteLevel, Sequence");
  EXPECT_NE(tokenizer_message_of([] {
              patched({{"pre_tokenizer", {{"type", "UnicodeScripts"}}}});
            }).find("tokenizer.json: pre_tokenizer: type \"UnicodeScripts\" is not supported"),
            std::string::npos);
  EXPECT_NE(tokenizer_message_of([] {
              patched({{"model", {{"type", "Trigram"}}}});
            })
                .find("tokenizer.json: model: type \"Trigram\" is not supported; supported: "
                      "WordPiece, BPE, WordLevel, Unigram"),
            std::string::npos);
  EXPECT_NE(tokenizer_message_of([] {
              patched({{"decoder", {{"type", "CTC"}}}});
            }).find("tokenizer.json: decoder: type \"CTC\""),
            std::string::npos);
}

TEST(Tokenizer, RefusesFilesThatContradictThemselves) {
  auto error = [](const char* patch) {
    return tokenizer_message_of([&] { patched(Json::parse(patch)); });
  };
  EXPECT_NE(error(R"({"model": {"vocab": {"hello": 3}}})").find("have the same id 3"),
            std::string::npos);
  EXPECT_NE(error(R"({"model": {"vocab": {"x": -1}}})").find("-1 is not a token id"),
            std::string::npos);
  EXPECT_NE(error(R"({"model": {"vocab": {"x": 99999999}}})")
                .find("expected an integer from 0 to 16777215"),
            std::string::npos);
  EXPECT_NE(error(R"({"added_tokens": [{"id": 1, "content": "[PAD]"}]})")
                .find("\"[PAD]\" has id 1 here and 0"),
            std::string::npos);
  EXPECT_NE(error(R"({"truncation": {"stride": 2}})").find("stride 2 is not supported"),
            std::string::npos);
  EXPECT_NE(error(R"({"post_processor": {"special_tokens": null}})")
                .find("\"special_tokens\" is missing"),
            std::string::npos);
  EXPECT_NE(
      error(R"({"model": {"max_input_chars_per_word": 1000000}})").find("expected 0 to 10000"),
      std::string::npos);
}

TEST(Tokenizer, RefusesDropoutAndBrokenMerges) {
  auto error = [](const char* patch) {
    Json file = read_json(kTokenizerGoldens / "byte_level.json");
    file.merge_patch(Json::parse(patch));
    return tokenizer_message_of([&] { Tokenizer::parse(file.dump(), "f"); });
  };
  EXPECT_NE(error(R"({"model": {"dropout": 0.1}})")
                .find("f: model: dropout is 0.1; only null is supported"),
            std::string::npos);
  EXPECT_NE(error(R"({"model": {"merges": ["a b c"]}})")
                .find("f: model.merges[0]: \"a b c\" is not a merge"),
            std::string::npos);
  EXPECT_NE(
      error(R"({"model": {"merges": [["q", "\u0120zzq"]]}})").find("is not in the vocabulary"),
      std::string::npos);
}

TEST(Tokenizer, StopsNormalizersThatBlowTextsUp) {
  Json doubling = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
  const Tokenizer tokenizer =
      patched({{"normalizer", {{"type", "Sequence"}, {"normalizers", Json(60, doubling)}}}});
  EXPECT_NE(
      tokenizer_message_of([&] { tokenizer.encode("banana"); }).find("make the text grow past"),
      std::string::npos);
}

TEST(Tokenizer, GuessesRolesFromAddedTokens) {
  const Tokenizer bert = word_piece();
  EXPECT_EQ(bert.special_id("pad"), bert.token_to_id("[PAD]"));
  EXPECT_EQ(bert.special_id("unk"), bert.token_to_id("[UNK]"));
  EXPECT_EQ(bert.special_id("mask"), bert.token_to_id("[MASK]"));
  EXPECT_EQ(bert.special_id("bos"), std::nullopt);
  EXPECT_EQ(byte_level().special_id("eos"), byte_level().token_to_id("<|endoftext|>"));
}

TEST(Tokenizer, KnowsWhichTokensStandForNoText) {
  const Tokenizer bert = word_piece();
  std::vector<int32_t> expected;
  for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    expected.push_back(bert.token_to_id(name).value());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(bert.special_ids(), expected);
  EXPECT_TRUE(bert.has_token(expected[0]));
  EXPECT_FALSE(bert.has_token(static_cast<int32_t>(bert.vocab_size()) + 1000));
  EXPECT_FALSE(bert.has_token(-1));
}

TEST(Tokenizer, WhatPostProcessingAddsStandsForNoText) {
  const Tokenizer tokenizer = patched({{"added_tokens", Json::array()}});
  const std::vector<int32_t> ids = tokenizer.special_ids();
  for (const char* name : {"[CLS]", "[SEP]"})
    EXPECT_EQ(std::count(ids.begin(), ids.end(), tokenizer.token_to_id(name).value()), 1) << name;
  EXPECT_EQ(std::count(ids.begin(), ids.end(), tokenizer.token_to_id("[PAD]").value()), 0);
}

TEST(Tokenizer, ReadsRolesAndLengthFromTheConfigurationBesideIt) {
  const TokenizerFolder folder("config");
  Json file = read_json(kTokenizerGoldens / "word_piece.json");
  file["truncation"] = nullptr;
  folder.write("tokenizer.json", file.dump());
  folder.write("tokenizer_config.json",
               R"({"model_max_length": 77, "pad_token": {"content": "[MASK]"}})");
  folder.write("special_tokens_map.json", R"({"pad_token": "[PAD]", "bos_token": "[CLS]"})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.max_length(), 77);
  EXPECT_EQ(tokenizer.special_id("pad"), tokenizer.token_to_id("[MASK]"));
  EXPECT_EQ(tokenizer.special_id("bos"), tokenizer.token_to_id("[CLS]"));
  EXPECT_EQ(tokenizer.hash(), hex(sha256(file.dump())));
  EXPECT_EQ(word_piece().max_length(), 128) << "the file's own truncation section";
}

TEST(Tokenizer, IgnoresAnAbsurdMaximumLength) {
  const TokenizerFolder folder("absurd");
  folder.write("tokenizer.json", read_file(kTokenizerGoldens / "byte_level.json"));
  folder.write("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");
  EXPECT_EQ(Tokenizer::load(folder.path()).max_length(), std::nullopt);
}

// The tokens of a vocabulary in the order of their ids.
std::vector<std::string> in_order(const Json& vocab) {
  std::vector<std::string> tokens(vocab.size());
  for (const auto& [token, id] : vocab.items()) tokens.at(id.get<std::size_t>()) = token;
  return tokens;
}

void expect_same_tokens(const Tokenizer& a, const Tokenizer& b, const char* variant_note) {
  for (const Json& input : read_json(kTokenizerGoldens / "cases.json")) {
    if (!input.contains("text")) continue;
    const auto text = input["text"].get<std::string>();
    EXPECT_EQ(a.encode(text).ids, b.encode(text).ids) << variant_note << ": " << text;
    EXPECT_EQ(a.encode(text).offsets, b.encode(text).offsets) << variant_note << ": " << text;
  }
}

TEST(Tokenizer, BuildsBertFromAVocabularyFile) {
  const TokenizerFolder folder("bert");
  std::string lines;
  for (const auto& token :
       in_order(read_json(kTokenizerGoldens / "word_piece.json")["model"]["vocab"]))
    lines += token + "\n";
  folder.write("vocab.txt", lines);
  expect_same_tokens(Tokenizer::load(folder.path()), word_piece(), "lower-case");
  folder.write("tokenizer_config.json", R"({"do_lower_case": false})");
  expect_same_tokens(Tokenizer::load(folder.path()),
                     patched({{"normalizer", {{"lowercase", false}}}}), "cased");
}

TEST(Tokenizer, BuildsRobertaAndGpt2FromVocabularyAndMerges) {
  const Json golden = read_json(kTokenizerGoldens / "expected/roberta.json");
  Json file = read_json(kTokenizerGoldens / "byte_level.json");
  const TokenizerFolder folder("roberta");
  std::string merges = "#version: 0.2\n";
  for (const Json& merge : file["model"]["merges"]) merges += merge.get<std::string>() + "\n";
  folder.write("merges.txt", merges);
  folder.write("vocab.json", file["model"]["vocab"].dump());
  expect_same_tokens(Tokenizer::load(folder.path()), byte_level(), "GPT-2");

  file.merge_patch(golden["patch"]);
  Json vocab = file["model"]["vocab"];
  for (const Json& token : file["added_tokens"])
    vocab[token["content"].get<std::string>()] = token["id"];
  vocab["<unk>"] = vocab.size();
  folder.write("vocab.json", vocab.dump());
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizer"})");
  const Tokenizer built = Tokenizer::load(folder.path());
  EXPECT_EQ(built.encode("Hello <mask>").ids,
            Tokenizer::parse(file.dump(), "f").encode("Hello <mask>").ids);
}

TEST(Tokenizer, SaysWhatAFolderWithoutTokenizerLacks) {
  const TokenizerFolder folder("empty");
  EXPECT_EQ(
      tokenizer_message_of([&] { Tokenizer::load(folder.path()); }),
      folder.path().string() +
          ": found no tokenizer; expected tokenizer.json, vocab.txt, vocab.json with merges.txt, "
          "tokenizer.model, spiece.model or sentencepiece.bpe.model");
}

TEST(Tokenizer, ServesSeveralThreadsAtOnce) {
  const Tokenizer tokenizer = byte_level();
  const std::string text = "Many threads, one tokenizer: naïve 日本語 12345";
  const Encoding expected = tokenizer.encode(text);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) wrong += tokenizer.encode(text).ids != expected.ids;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Tokenizer, TakesAMegabyteWithoutSpacesInItsStride) {
  const std::string text(1 << 20, 'a');
  EXPECT_EQ(word_piece().encode(text).ids.size(), 3u) << "one unknown word";
  const Encoding e = byte_level().encode(text);
  EXPECT_EQ(e.offsets.back().second, 1 << 20);
  std::string mixed;
  while (mixed.size() < 1 << 20) mixed += "thequickbrownfoxandinationer日本";
  EXPECT_EQ(byte_level().decode(byte_level().encode(mixed).ids, true), mixed);
}

TEST(Tokenizer, BytesOfALongSuffixStayWithinTheText) {
  Json vocab = Json::object();
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = byte;
  const Json file = {{"model",
                      {{"type", "BPE"},
                       {"byte_fallback", true},
                       {"end_of_word_suffix", std::string(5000, '!')},
                       {"vocab", vocab},
                       {"merges", Json::array()}}}};
  const Encoding e = Tokenizer::parse(file.dump(), "tokenizer.json").encode("ab");
  ASSERT_EQ(e.size(), 5002u);
  EXPECT_EQ(e.offsets[1], (std::pair<int32_t, int32_t>(1, 2)));
  for (const auto& [begin, end] : e.offsets) {
    EXPECT_LE(begin, end);
    EXPECT_LE(end, 2);
  }
}

TEST(Tokenizer, LeavesOutIdsOfNoTokenWhenDecoding) {
  const Tokenizer tokenizer = word_piece();
  const std::vector<int32_t> ids = {*tokenizer.token_to_id("hello"), 99'999, -1};
  EXPECT_EQ(tokenizer.decode(ids, false), "hello");
}

TEST(Tokenizer, CutsOnlyWhatTheStrategyAllows) {
  const Tokenizer tokenizer = patched({{"truncation", {{"strategy", "OnlySecond"}}}});
  EXPECT_EQ(tokenizer_message_of([&] { tokenizer.encode("a b c d e", {.max_length = 4}); }),
            "5 tokens do not fit into 2: the tokenizer's strategy cuts only the second text, which "
            "has 0");
  EXPECT_EQ(tokenizer.encode("a b c", "d e f", {.max_length = 7}).size(), 7u);
}

}  // namespace
}  // namespace inlay
