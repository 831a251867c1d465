#include "text/parted_text.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/source_dir.h"

namespace inlay {
namespace {

const std::filesystem::path kPartedTextGoldens = source_dir() / "tests/golden/tokenizers";

Json special(int id, const char* content, const Json& flags = Json::object()) {
  Json token = {{"id", id}, {"content", content}, {"normalized", false}, {"special", true}};
  token.update(flags);
  return token;
}

Json chat_file() {
  Json file = read_json(kPartedTextGoldens / "byte_level.json");
  file["added_tokens"].push_back(special(3000, "<|start|>"));
  file["added_tokens"].push_back(special(3001, "<|end|>"));
  file["added_tokens"].push_back(special(3002, "<|wide|>", {{"rstrip", true}, {"lstrip", true}}));
  file["added_tokens"].push_back(
      special(3003, "<tool>", {{"normalized", true}, {"special", false}}));
  file["added_tokens"].push_back(special(3004, "<think>", {{"special", false}}));
  return file;
}

Tokenizer chat() { return Tokenizer::parse(chat_file().dump(), "tokenizer.json"); }

Encoding encode(const Tokenizer& tokenizer, const std::vector<TextPart>& parts) {
  return tokenizer.encode_parts(parts);
}

int count(const Encoding& encoding, int32_t id) {
  return static_cast<int>(std::count(encoding.ids.begin(), encoding.ids.end(), id));
}

TEST(PartedText, ReadsSpecialTokensInTemplatesOnly) {
  const Tokenizer tokenizer = chat();
  const Encoding e = encode(tokenizer, {{"<|start|>"}, {"Hello <|end|> world", true}, {"<|end|>"}});
  EXPECT_EQ(e.ids.front(), 3000);
  EXPECT_EQ(e.ids.back(), 3001);
  EXPECT_EQ(count(e, 3001), 1);
  EXPECT_EQ(tokenizer.decode(e.ids, false), "<|start|>Hello <|end|> world<|end|>");
}

TEST(PartedText, ReadsAddedTokensThatAreNotSpecialInAnyPart) {
  const Tokenizer tokenizer = chat();
  const std::string words = "Hello <tool><think> world";
  const Encoding e = encode(tokenizer, {{"<|start|>"}, {words, true}, {"<tool><|end|>"}});
  EXPECT_EQ(count(e, 3003), 2);
  EXPECT_EQ(count(e, 3004), 1);
  EXPECT_EQ(e.ids, tokenizer.encode("<|start|>" + words + "<tool><|end|>").ids);
  EXPECT_EQ(encode(tokenizer, {{words, true}}).ids, tokenizer.encode(words).ids);
}

TEST(PartedText, ReadsNoSpecialTokenAcrossTheBorderOfAPlainPart) {
  const Tokenizer tokenizer = chat();
  EXPECT_EQ(count(encode(tokenizer, {{"a<|e"}, {"nd|>", true}}), 3001), 0);
  EXPECT_EQ(count(encode(tokenizer, {{"<to", true}, {"ol>"}}), 3003), 1);
  EXPECT_EQ(count(encode(tokenizer, {{"<|"}, {"", true}, {"end|>"}}), 3001), 1);
  EXPECT_EQ(count(encode(tokenizer, {{"<to"}, {"ol>"}}), 3003), 1);
}

TEST(PartedText, GivesTheIdsOfTheWholeTextWhenNothingSpecialIsInIt) {
  for (const auto& entry : std::filesystem::directory_iterator(kPartedTextGoldens / "expected")) {
    if (entry.path().stem() == "unigram_without_unknown") continue;  // cannot write the text
    const Json golden = read_json(entry.path());
    const auto base = golden.at("base").get<std::string>();
    Json file = base.empty() ? Json::object() : read_json(kPartedTextGoldens / (base + ".json"));
    file.merge_patch(golden.at("patch"));
    const Tokenizer tokenizer = Tokenizer::parse(file.dump(), "tokenizer.json");
    const std::string text = "Hello, naïve world!\n\nIt's 3.14  o'clock 中文 now";
    const Encoding whole = tokenizer.encode(text);
    for (std::size_t cut : {0, 1, 5, 6, 20, 21, 22, 33}) {
      for (bool plain : {false, true}) {
        const std::string_view all = text;
        const Encoding e =
            encode(tokenizer, {{all.substr(0, cut), !plain}, {all.substr(cut), plain}});
        EXPECT_EQ(e.ids, whole.ids) << entry.path() << " cut at " << cut;
        EXPECT_EQ(e.offsets, whole.offsets);
        EXPECT_EQ(e.special_mask, whole.special_mask);
      }
    }
  }
}

TEST(PartedText, NamesThePartInWhichATokenBegins) {
  const Tokenizer tokenizer = chat();
  const Encoding e =
      encode(tokenizer, {{"<|start|>"}, {"", true}, {" t", true}, {"he"}, {"<|end|>"}});
  EXPECT_EQ(e.part_ids, (std::vector<int32_t>{0, 2, 4}));
  EXPECT_EQ(e.offsets[1], (std::pair<int32_t, int32_t>(9, 13)));
}

TEST(PartedText, SpecialTokensTakeTheSpacesOfOtherPartsAsInTheWholeText) {
  const Tokenizer tokenizer = chat();
  const Encoding e = encode(tokenizer, {{"a  ", true}, {"<|wide|>"}, {"  b", true}});
  EXPECT_EQ(e.ids, tokenizer.encode("a  <|wide|>  b").ids);
  EXPECT_EQ(e.part_ids, (std::vector<int32_t>{0, 1, 2}));
}

TEST(PartedText, KeepsPlainTextFromTheModelsOwnSpecialTokens) {
  const char* const kModels[] = {
      R"({"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "</s>": 1, "a": 2}})",
      R"({"type": "WordPiece", "unk_token": "?", "vocab": {"?": 0, "</s>": 1, "a": 2}})",
      R"({"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["</s>", 0], ["a", -1]]})",
      R"({"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "</s>": 1, "a": 2, "</": 3, "s>": 4, "s": 5,
          "<": 6, "/": 7, ">": 8}, "merges": ["< /", "s >", "</ s>"]})",
      R"({"type": "BPE", "unk_token": "?", "ignore_merges": true, "vocab": {"?": 0, "</s>": 1, "a": 2},
          "merges": []})"};
  for (const char* model : kModels) {
    const Json file = {{"model", Json::parse(model)},
                       {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
                       {"added_tokens", {special(1, "</s>")}}};
    const Tokenizer tokenizer = Tokenizer::parse(file.dump(), "tokenizer.json");
    const Encoding e = encode(tokenizer, {{"a ", true}, {"</s>"}, {"a </s> a", true}, {" </s>"}});
    EXPECT_EQ(count(e, 1), 2) << model;
    EXPECT_EQ(count(e, 2), 3) << model;
    EXPECT_EQ(e.ids.back(), 1) << model;
  }
}

TEST(PartedText, ReadsASpecialCharacterAsTheTextItIs) {
  const Json file = {
      {"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"?", 0}, {"!", 1}}}}},
      {"added_tokens", {special(1, "!")}}};
  const Tokenizer tokenizer = Tokenizer::parse(file.dump(), "tokenizer.json");
  EXPECT_EQ(encode(tokenizer, {{"!", true}}).ids, std::vector<int32_t>{1});
}

TEST(PartedText, TruncatesAndFramesLikeOneText) {
  const Tokenizer tokenizer = Tokenizer::load(kPartedTextGoldens / "word_piece.json");
  const std::vector<TextPart> parts = {{"hello "}, {"big world", true}};
  const Encoding e = tokenizer.encode_parts(parts, {.max_length = 4});
  EXPECT_EQ(e.ids, tokenizer.encode("hello big world", {.max_length = 4}).ids);
  EXPECT_EQ(e.part_ids, (std::vector<int32_t>{-1, 0, 1, -1}));
}

TEST(PartedText, RefusesACharacterCutInTwo) {
  const Tokenizer tokenizer = chat();
  EXPECT_THROW(encode(tokenizer, {{"\xC3"}, {"\xA9", true}}), Error);
}

TEST(PartedText, NoPartsAreAnEmptyText) {
  EXPECT_EQ(encode(chat(), {}).size(), 0u);
  EXPECT_EQ(encode(chat(), {{"", true}}).size(), 0u);
}

}  // namespace
}  // namespace inlay
