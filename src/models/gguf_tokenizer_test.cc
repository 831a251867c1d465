// Tokenizers through the metadata of GGUF files and back, against those they were made of.
#include "models/gguf_tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "formats/gguf.h"
#include "models/base_text.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kVocabulary = 4096;  // more than any of them has

fs::path goldens() { return source_dir() / "tests/golden/tokenizers"; }

class GgufTokenizerTest : public testing::Test {
 protected:
  GgufTokenizerTest() { fs::create_directories(folder_); }
  ~GgufTokenizerTest() override { fs::remove_all(folder_); }

  // A folder with the tokenizer of tests/golden/tokenizers/expected.
  void take(const std::string& name, const Json& config = Json::object()) {
    const Json golden = read_json(goldens() / "expected" / (name + ".json"));
    const auto base = golden.at("base").get<std::string>();
    Json file = base.empty() ? Json::object() : read_json(goldens() / (base + ".json"));
    file.merge_patch(golden.at("patch"));
    write_file_atomically(folder_ / "tokenizer.json", file.dump());
    write_file_atomically(folder_ / "tokenizer_config.json", config.dump());
  }
  // That of a folder with a SentencePiece model.
  void take_pieces(const std::string& name) {
    for (const char* file : {"tokenizer.model", "tokenizer_config.json"})
      fs::copy(goldens() / "sentence_piece" / name / file, folder_ / file);
  }
  // What is not written, and why.
  std::string refusal() {
    metadata_ = GgufMetadata("model.gguf");
    return set_gguf_tokenizer(metadata_, folder_, kVocabulary);
  }
  fs::path write() {
    metadata_.set("general.architecture", GgufValue::of(std::string("llama")));
    write_gguf(folder_ / "model.gguf", metadata_, {});
    return folder_ / "model.gguf";
  }
  void expect_same_tokens(const Tokenizer& found) const {
    const Tokenizer expected = Tokenizer::load(folder_);
    std::size_t compared = 0;
    for (const Json& one : read_json(goldens() / "cases.json")) {
      if (!one.contains("text") || !one.at("text").is_string()) continue;
      const auto text = one.at("text").get<std::string>();
      EXPECT_EQ(found.encode(text).ids, expected.encode(text).ids) << text;
      const std::vector<int32_t> ids = expected.encode(text).ids;
      EXPECT_EQ(found.decode(ids, true), expected.decode(ids, true));
      ++compared;
    }
    EXPECT_GT(compared, 10u);
    for (const char* role : {"bos", "eos", "unk", "pad"})
      EXPECT_EQ(found.special_id(role), expected.special_id(role)) << role;
  }

  fs::path folder_ =
      fs::path(testing::TempDir()) / fmt::format("inlay_gguf_tokenizer_{}", getpid());
  GgufMetadata metadata_;
};

struct Kind {
  const char* golden;
  const char* model;  // "tokenizer.ggml.model"
  const char* pre;
};

class GgufTokenizers : public GgufTokenizerTest, public testing::WithParamInterface<Kind> {};

TEST_P(GgufTokenizers, GiveTheTokensOfTheirFolder) {
  take(GetParam().golden, {{"bos_token", "<|begin|>"}});
  ASSERT_EQ(refusal(), "");
  EXPECT_EQ(metadata_.get<std::string>("tokenizer.ggml.model"), GetParam().model);
  EXPECT_EQ(metadata_.get_or<std::string>("tokenizer.ggml.pre", ""), GetParam().pre);
  EXPECT_EQ(metadata_.find("tokenizer.ggml.tokens")->count(), uint64_t{kVocabulary});
  expect_same_tokens(load_base_tokenizer(write()));
}

INSTANTIATE_TEST_SUITE_P(All, GgufTokenizers,
                         testing::Values(Kind{"gpt2", "gpt2", "gpt-2"},
                                         Kind{"llama3", "gpt2", "llama-bpe"},
                                         Kind{"qwen", "gpt2", "qwen2"},
                                         Kind{"smollm", "gpt2", "smollm"}),
                         [](const auto& info) { return std::string(info.param.golden); });

class GgufPieces : public GgufTokenizerTest, public testing::WithParamInterface<const char*> {};

TEST_P(GgufPieces, GiveTheTokensOfTheirFolder) {
  take_pieces(GetParam());
  ASSERT_EQ(refusal(), "");
  EXPECT_EQ(metadata_.get<std::string>("tokenizer.ggml.model"), "llama");
  expect_same_tokens(load_base_tokenizer(write()));
}

INSTANTIATE_TEST_SUITE_P(All, GgufPieces, testing::Values("llama", "gemma"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(GgufTokenizerTest, WhatLlamaCppHasNoWordsForIsLeftOut) {
  take("llama2");  // whose merges are not all those that its pieces allow
  EXPECT_EQ(refusal(), "llama.cpp's words for it give another order of merges");
  take("mistral");
  EXPECT_EQ(refusal(), "llama.cpp's words for it give another normalizer");
  take("clip");
  EXPECT_NE(refusal(), "");
  take("bert");
  EXPECT_EQ(refusal(), "it is no byte-pair encoding");
  EXPECT_TRUE(metadata_.entries().empty());
}

// Tokens of no text are not among those that the tokenizer has, whatever ids they claim.
TEST_F(GgufTokenizerTest, AddedTokensAreThoseThatTheTokenizerReads) {
  take("gpt2");
  Json file = read_json(folder_ / "tokenizer.json");
  Json& added = file.at("added_tokens");
  added.at(0).erase("special");
  added.at(0).erase("lstrip");
  added.push_back(Json{{"id", 1 << 20}, {"content", ""}});
  added.push_back(Json{{"id", 5}, {"content", ""}});
  write_file_atomically(folder_ / "tokenizer.json", file.dump());
  ASSERT_EQ(refusal(), "");
  const auto types = metadata_.get<std::vector<int64_t>>("tokenizer.ggml.token_type");
  EXPECT_EQ(types.size(), std::size_t{kVocabulary});
  EXPECT_EQ(types[5], 1);
  EXPECT_EQ(types[2256], 4);  // by the user, as it is not called special
  EXPECT_EQ(metadata_.get<std::vector<std::string>>("tokenizer.ggml.tokens")[5],
            Tokenizer::load(folder_).id_to_token(5));
  expect_same_tokens(load_base_tokenizer(write()));
}

TEST_F(GgufTokenizerTest, WithoutItsOwnTheOneBesideTheFileIsTaken) {
  take("gpt2");
  metadata_.set("tokenizer.ggml.model", GgufValue::of(std::string("gpt2")));
  metadata_.set("tokenizer.ggml.pre", GgufValue::of(std::string("tekken")));
  const fs::path path = write();
  expect_same_tokens(load_base_tokenizer(path));
  fs::remove(folder_ / "tokenizer.json");
  try {
    load_base_tokenizer(path);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what())
                  .find("tokenizer.ggml.pre is \"tekken\"; known: gpt-2, llama-bpe, qwen2, smollm"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(GgufTokenizerTest, TheChatTemplateGoesAlong) {
  take("llama3", {{"bos_token", "<|begin|>"},
                  {"eos_token", "<|endoftext|>"},
                  {"chat_template", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"}});
  ASSERT_EQ(refusal(), "");
  const auto chat = load_base_chat_template(write());
  ASSERT_TRUE(chat.has_value());
  const OrderedJson messages = OrderedJson::parse(R"([{"role": "user", "content": "Hi"}])");
  EXPECT_EQ(chat->render(messages).text, "<|begin|>Hi<|endoftext|>");
}

TEST_F(GgufTokenizerTest, TextsEndAtEosAndAtTheEndsOfTurns) {
  metadata_.set("tokenizer.ggml.tokens", GgufValue::array_of(std::vector<std::string>{
                                             "a", "<|im_end|>", "</s>", "<turn>", "<|eot_id|>"}));
  EXPECT_EQ(gguf_ending_tokens(metadata_), (std::vector<int32_t>{1, 4}));
  metadata_.set("tokenizer.ggml.model", GgufValue::of(std::string("llama")));
  EXPECT_EQ(gguf_ending_tokens(metadata_), (std::vector<int32_t>{2, 1, 4}));
  metadata_.set("tokenizer.ggml.eos_token_id", GgufValue::of(uint32_t{0}));
  metadata_.set("tokenizer.ggml.eot_token_id", GgufValue::of(uint32_t{3}));
  metadata_.set("tokenizer.ggml.eom_token_id", GgufValue::of(uint32_t{4}));
  EXPECT_EQ(gguf_ending_tokens(metadata_), (std::vector<int32_t>{0, 3, 4, 1}));
  EXPECT_TRUE(gguf_ending_tokens(GgufMetadata()).empty());
}

TEST_F(GgufTokenizerTest, WhatEndsATextBesideEosGoesAlongAsTheEndOfATurn) {
  take("llama3", {{"bos_token", "<|begin|>"}, {"eos_token", "<|endoftext|>"}});
  EXPECT_EQ(refusal(), "");
  EXPECT_FALSE(metadata_.contains("tokenizer.ggml.eot_token_id"));
  auto configure = [&](const char* name, const char* text) {
    write_file_atomically(folder_ / name, text);
    EXPECT_EQ(refusal(), "");
    return metadata_.get_or<int64_t>("tokenizer.ggml.eot_token_id", -1);
  };
  EXPECT_EQ(configure("config.json", R"({"eos_token_id": 2257})"), 2257);
  EXPECT_EQ(configure("generation_config.json", R"({"eos_token_id": 2256})"), -1);
  EXPECT_EQ(configure("generation_config.json",
                      R"({"eos_token_id": [2256, "x", -1, 4000, 5000000000, 2257, 7]})"),
            2257);
  EXPECT_EQ(load_base_ending_tokens(write()), (std::vector<int32_t>{2256, 2257}));
}

TEST_F(GgufTokenizerTest, MetadataThatContradictThemselvesAreRefused) {
  auto error = [&](const char* key, const GgufValue& value) -> std::string {
    take("gpt2");
    EXPECT_EQ(refusal(), "");
    metadata_.set(key, value);
    std::string lack;
    try {
      gguf_tokenizer(metadata_, lack);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "accepted";
  };
  using Texts = std::vector<std::string>;
  EXPECT_NE(error("tokenizer.ggml.token_type", GgufValue::array_of(std::vector<int32_t>{1, 1}))
                .find("2 types for 4096 tokens"),
            std::string::npos);
  EXPECT_NE(error("tokenizer.ggml.tokens", GgufValue::array_of(Texts{})).find("no tokens"),
            std::string::npos);
  EXPECT_NE(error("tokenizer.ggml.merges", GgufValue::array_of(Texts{"ab"})).find("no pair"),
            std::string::npos);
  EXPECT_NE(error("tokenizer.ggml.bos_token_id", GgufValue::of(uint32_t{4096})).find("4096 tokens"),
            std::string::npos);
}

}  // namespace
}  // namespace inlay
