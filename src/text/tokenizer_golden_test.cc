// Every variant of tests/golden/tokenizers against what the reference made of its texts.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/source_dir.h"
#include "text/tokenizer.h"

namespace inlay {
namespace {

const std::filesystem::path kTokenizerFileGoldens = source_dir() / "tests/golden/tokenizers";

std::vector<std::string> variant_names() {
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(kTokenizerFileGoldens / "expected")) {
    names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

Encoding encode(const Tokenizer& tokenizer, const Json& input) {
  const EncodeOptions options{.max_length = input.value("max_length", 0),
                              .add_special_tokens = input.value("special", true)};
  if (input.contains("words")) {
    return tokenizer.encode_words(input["words"].get<std::vector<std::string>>(), options);
  }
  if (input.contains("pair")) {
    return tokenizer.encode(input["pair"][0].get<std::string>(),
                            input["pair"][1].get<std::string>(), options);
  }
  return tokenizer.encode(input["text"].get<std::string>(), options);
}

// The columns that the golden holds, in its form.
Json columns(const Tokenizer& tokenizer, const Encoding& encoding, const Json& expected) {
  Json result = {{"case", expected["case"]}, {"ids", encoding.ids}};
  Json offsets = Json::array();
  Json special = Json::array();
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    offsets.push_back(encoding.offsets[i].first);
    offsets.push_back(encoding.offsets[i].second);
    if (encoding.special_mask[i] != 0) special.push_back(i);
  }
  result["offsets"] = std::move(offsets);
  result["special"] = std::move(special);
  result["decoded"] = tokenizer.decode(encoding.ids, true);
  if (expected.contains("words")) result["words"] = encoding.word_ids;
  if (expected.contains("sequences")) result["sequences"] = encoding.sequence_ids;
  if (expected.contains("types")) result["types"] = encoding.type_ids;
  return result;
}

void expect_agreement(const Tokenizer& tokenizer, const Json& golden) {
  const Json cases = read_json(kTokenizerFileGoldens / "cases.json");
  ASSERT_FALSE(golden.at("expected").empty());
  for (const Json& expected : golden.at("expected")) {
    const Json& input = cases.at(expected["case"].get<std::size_t>());
    if (expected.contains("error")) {
      EXPECT_THROW(encode(tokenizer, input), Error) << input.dump();
      continue;
    }
    EXPECT_EQ(columns(tokenizer, encode(tokenizer, input), expected).dump(), expected.dump())
        << input.dump();
  }
}

class TokenizerGolden : public testing::TestWithParam<std::string> {};

TEST_P(TokenizerGolden, AgreesWithTheReferenceOnEveryCase) {
  const Json golden = read_json(kTokenizerFileGoldens / "expected" / (GetParam() + ".json"));
  const auto base = golden.at("base").get<std::string>();
  Json file = base.empty() ? Json::object() : read_json(kTokenizerFileGoldens / (base + ".json"));
  file.merge_patch(golden.at("patch"));
  expect_agreement(Tokenizer::parse(file.dump(), GetParam()), golden);
}

INSTANTIATE_TEST_SUITE_P(Variants, TokenizerGolden, testing::ValuesIn(variant_names()),
                         [](const auto& info) { return info.param; });

class SentencePieceGolden : public testing::TestWithParam<std::string> {};

TEST_P(SentencePieceGolden, AgreesWithTheReferenceOnTheConvertedModel) {
  const std::filesystem::path folder = kTokenizerFileGoldens / "sentence_piece" / GetParam();
  expect_agreement(Tokenizer::load(folder), read_json(folder / "expected.json"));
}

INSTANTIATE_TEST_SUITE_P(Models, SentencePieceGolden,
                         testing::Values("t5", "xlm_roberta", "unigram_bytes", "llama", "gemma"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace inlay
