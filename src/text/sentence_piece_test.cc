#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/source_dir.h"
#include "text/protobuf_reader.h"
#include "text/sentence_piece_tokenizer.h"
#include "text/tokenizer.h"

namespace inlay::text {
namespace {

const std::filesystem::path kGoldens = source_dir() / "tests/golden/tokenizers";

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

template <class Call>
void expect_error(const char* text, Call call) {
  const std::string message = message_of(call);
  EXPECT_NE(message.find(text), std::string::npos) << message;
}

// ---- protobuf, written by hand -----------------------------------------------------------------

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes += static_cast<char>(value);
}
std::string number(uint64_t field, uint64_t value) { return varint(field << 3) + varint(value); }
std::string bytes(uint64_t field, const std::string& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}
std::string piece(const std::string& text, float score, uint64_t type) {
  std::string real(reinterpret_cast<const char*>(&score), 4);
  return bytes(1, bytes(1, text) + varint(2 << 3 | 5) + real + number(3, type));
}

std::string small_bpe() {
  return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("▁a", -1, 1) +
         piece("▁", -2, 1) + piece("a", -3, 1) + bytes(2, number(3, 2));
}

SentencePieceModel parse(const std::string& model) {
  return parse_sentence_piece_model(model, "tokenizer.model");
}

// A folder for one test, gone at its end.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("inlay_sentence_piece_" + name + "_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }
  void write(const char* name, const std::string& text) const {
    write_file_atomically(path_ / name, text);
  }

 private:
  std::filesystem::path path_;
};

TEST(ProtobufReader, GivesFieldsOfAllKinds) {
  const std::string place = "message";
  const std::string message = number(1, 300) + bytes(2, "text") + varint(3 << 3 | 5) +
                              std::string("\0\0\x80\x3F", 4) + varint(4 << 3 | 1) +
                              std::string(8, 'x') + number(1000, ~uint64_t{0});
  ProtobufReader fields(message, place);
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.integer(), 300u);
  expect_error("protobuf field 1 has the wire type 0; expected 2", [&] { fields.bytes(); });
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.bytes(), "text");
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.real(), 1.0f);
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.number(), 4u);
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.number(), 1000u);
  EXPECT_EQ(static_cast<int64_t>(fields.integer()), -1);
  EXPECT_FALSE(fields.next());
}

TEST(ProtobufReader, RefusesWhatIsCutOrTooLong) {
  const std::string place = "message";
  auto read = [&](const std::string& message) {
    for (ProtobufReader fields(message, place); fields.next();) {
    }
  };
  expect_error("ends inside a number", [&] { read("\x08"); });
  expect_error("ends inside a number", [&] { read("\x88"); });
  expect_error("says it has 5 bytes, where 2 are left", [&] { read("\x0A\x05xy"); });
  expect_error("where 0 are left", [&] { read("\x0A" + varint(~uint64_t{0})); });
  expect_error("more than 10 bytes", [&] { read("\x08" + std::string(11, '\xFF')); });
  expect_error("wire type 3", [&] { read("\x0B"); });
  expect_error("has the number 0", [&] { read(std::string(2, '\0')); });
  expect_error("where 3 are left", [&] { read("\x0Dxyz"); });
}

TEST(SentencePieceModel, ReadsWhatTheFileSays) {
  const SentencePieceModel model =
      parse(small_bpe() + bytes(2, number(35, 1) + number(41, ~uint64_t{0}) + number(43, 2)) +
            bytes(3, bytes(2, "map") + number(3, 0) + number(4, 0)));
  EXPECT_EQ(model.pieces.size(), 6u);
  EXPECT_EQ(model.pieces[3].text, "▁a");
  EXPECT_EQ(model.pieces[3].score, -1);
  EXPECT_EQ(model.kind, SentencePieceModel::Kind::kBpe);
  EXPECT_TRUE(model.byte_fallback);
  EXPECT_EQ(model.bos_id, -1);
  EXPECT_EQ(model.eos_id, 2);
  EXPECT_EQ(model.pad_id, 2);
  EXPECT_EQ(model.charsmap, "map");
  EXPECT_FALSE(model.add_dummy_prefix);
  EXPECT_FALSE(model.remove_extra_whitespaces);
}

TEST(SentencePieceModel, RefusesWhatItCannotMean) {
  expect_error("found no pieces", [] { parse(""); });
  expect_error("model type 4 is not supported",
               [] { parse(small_bpe() + bytes(2, number(3, 4))); });
  expect_error("a piece has the type 9", [] { parse(piece("x", 0, 9)); });
  expect_error("piece 0 has 0 bytes", [] { parse(piece("", 0, 1)); });
  expect_error("piece 0 has 257 bytes", [] { parse(piece(std::string(257, 'x'), 0, 1)); });
  expect_error("piece 0 is not valid UTF-8", [] { parse(piece("\xFF", 0, 1)); });
  expect_error("the score of piece 0 is", [] { parse(piece("x", NAN, 1)); });
  expect_error("the unknown piece has id 6; expected 0 to 5",
               [] { parse(small_bpe() + bytes(2, number(40, 6))); });
  expect_error("a special piece has id 6", [] { parse(small_bpe() + bytes(2, number(42, 6))); });
  expect_error("is not a token id", [] { parse(small_bpe() + bytes(2, number(42, 1u << 31))); });
  expect_error("escape_whitespaces", [] { parse(small_bpe() + bytes(3, number(5, 0))); });
  expect_error("treat_whitespace_as_suffix", [] { parse(small_bpe() + bytes(2, number(24, 1))); });
}

TEST(SentencePieceModel, SurvivesDamage) {
  std::mt19937 random(5);
  for (const char* name : {"llama/tokenizer.model", "t5/spiece.model"}) {
    const std::string whole = read_file(kGoldens / "sentence_piece" / name);
    for (int round = 0; round < 200; ++round) {
      std::string damaged = whole.substr(0, random() % whole.size());
      for (int i = 0; i < 5 && !damaged.empty(); ++i) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      try {
        parse(damaged);
      } catch (const Error&) {
      }
    }
  }
}

TEST(SentencePieceTokenizer, MergesComeByScoreThenByLengthOfTheLeftHalf) {
  SentencePieceModel model;
  const std::pair<const char*, float> pieces[] = {{"a", -5},  {"b", -6},  {"c", -7},
                                                  {"bc", -2}, {"ab", -3}, {"abc", -1}};
  for (const auto& [text, score] : pieces) model.pieces.push_back({text, score});
  model.pieces.push_back({"cab", 0, SentencePieceModel::PieceType::kControl});
  EXPECT_EQ(merges_from_pieces(model, "m").dump(),
            R"([["ab","c"],["a","bc"],["b","c"],["a","b"]])");
}

TEST(SentencePieceTokenizer, RefusesClassesItDoesNotKnow) {
  const Folder folder("class");
  folder.write("tokenizer.model", small_bpe());
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "AlbertTokenizer"})");
  expect_error("tokenizer_class \"AlbertTokenizer\" is not supported with a SentencePiece file",
               [&] { Tokenizer::load(folder.path()); });
}

TEST(SentencePieceTokenizer, FramesTextsAsTheConfigurationSays) {
  const Folder folder("frame");
  folder.write("tokenizer.model", small_bpe());
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("a").ids, (std::vector<int32_t>{1, 3}));
  folder.write(
      "tokenizer_config.json",
      R"({"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": false, "add_eos_token": true})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.encode("a").ids, (std::vector<int32_t>{3, 2}));
  EXPECT_EQ(tokenizer.special_id("eos"), 2);
  folder.write("tokenizer_config.json", R"({"bos_token": "<start>"})");
  expect_error("has no \"<start>\"", [&] { Tokenizer::load(folder.path()); });
}

TEST(SentencePieceTokenizer, PutsASpaceInFrontAsTheConfigurationSays) {
  const Folder folder("prefix");
  folder.write("tokenizer.model", small_bpe());
  auto ids = [&](const char* config) {
    folder.write("tokenizer_config.json", config);
    return Tokenizer::load(folder.path()).encode("a</s>a").ids;
  };
  EXPECT_EQ(ids(R"({"legacy": true})"), (std::vector<int32_t>{1, 3, 2, 3}));
  EXPECT_EQ(ids(R"({"legacy": null})"), (std::vector<int32_t>{1, 3, 2, 3}));
  EXPECT_EQ(ids(R"({"legacy": false})"), (std::vector<int32_t>{1, 3, 2, 5}));
  EXPECT_EQ(ids(R"({"add_prefix_space": false})"), (std::vector<int32_t>{1, 5, 2, 5}));
}

// SentencePiece reads no special tokens in a text, as we read none in plain parts.
TEST(SentencePieceTokenizer, GivesPlainTextTheIdsOfSentencePieceItself) {
  for (const char* name : {"llama", "gemma"}) {
    const std::filesystem::path folder = kGoldens / "sentence_piece" / name;
    const Tokenizer tokenizer = Tokenizer::load(folder);
    for (const Json& row : read_json(folder / "own_ids.json")) {
      const auto text = row["text"].get<std::string>();
      const TextPart parts[] = {{text, true}};
      const Encoding e = tokenizer.encode_parts(parts, {.add_special_tokens = false});
      EXPECT_EQ(e.ids, row["ids"].get<std::vector<int32_t>>()) << name << ": " << text;
    }
  }
}

TEST(Llama2cTokenizer, ReadsTheStoriesModel) {
  const Json file = tokenizer_json_from_llama2c(kGoldens / "tok512.bin");
  const Tokenizer tokenizer = Tokenizer::parse(file.dump(), "tok512.bin");
  EXPECT_EQ(tokenizer.vocab_size(), 512);
  const std::string text = "Once upon a time, there was a little girl named Lily.";
  const Encoding e = tokenizer.encode(text);
  EXPECT_EQ(e.ids.front(), 1);
  // As llama2.c's own encoder makes them.
  EXPECT_EQ(e.ids, (std::vector<int32_t>{1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315,
                                         421, 395, 317, 426}));
  EXPECT_EQ(tokenizer.decode(e.ids, true), text);
  const Encoding bytes = tokenizer.encode("naïve 日本\n");
  EXPECT_EQ(bytes.ids, (std::vector<int32_t>{1, 297, 412, 198, 178, 360, 410, 233, 154, 168, 233,
                                             159, 175, 13}));
  EXPECT_EQ(tokenizer.decode(bytes.ids, true), "naïve 日本\n");
}

TEST(Llama2cTokenizer, RefusesFilesThatAreCut) {
  const std::string whole = read_file(kGoldens / "tok512.bin");
  auto read = [](const std::string& cut) { parse_llama2c_tokenizer(cut, "tok.bin"); };
  expect_error("ends inside a piece", [&] { read(""); });
  expect_error("ends inside a piece", [&] { read(whole.substr(0, 6)); });
  expect_error("where 4 are left", [&] { read(whole.substr(0, 16)); });
  expect_error("the unknown piece has id 0", [&] { read(whole.substr(0, 4)); });
  std::string long_piece = whole.substr(0, 12);
  long_piece[11] = '\x80';  // a negative length
  expect_error("says it has 2147483653 bytes", [&] { read(long_piece + "abc"); });
}

}  // namespace
}  // namespace inlay::text
