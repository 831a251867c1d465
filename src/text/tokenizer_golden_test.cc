// Every variant of tests/golden/tokenizers against what the reference made of its texts.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "text/tokenizer.h"

namespace inlay {
namespace {

const std::filesystem::path kGoldens =
    std::filesystem::path(INLAY_SOURCE_DIR) / "tests/golden/tokenizers";

std::vector<std::string> variant_names() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGoldens / "expected")) {
    names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

class TokenizerGolden : public testing::TestWithParam<std::string> {
 protected:
  TokenizerGolden()
      : cases_(read_json(kGoldens / "cases.json")),
        golden_(read_json(kGoldens / "expected" / (GetParam() + ".json"))),
        tokenizer_(Tokenizer::parse(variant().dump(), GetParam())) {}

  Json variant() const {
    const auto base = golden_.at("base").get<std::string>();
    Json file = base.empty() ? Json::object() : read_json(kGoldens / (base + ".json"));
    file.merge_patch(golden_.at("patch"));
    return file;
  }

  Encoding encode(const Json& input) const {
    const EncodeOptions options{.max_length = input.value("max_length", 0),
                                .add_special_tokens = input.value("special", true)};
    if (input.contains("words")) {
      return tokenizer_.encode_words(input["words"].get<std::vector<std::string>>(), options);
    }
    if (input.contains("pair")) {
      return tokenizer_.encode(input["pair"][0].get<std::string>(),
                               input["pair"][1].get<std::string>(), options);
    }
    return tokenizer_.encode(input["text"].get<std::string>(), options);
  }

  // The columns that the golden holds, in its form.
  Json columns(const Encoding& encoding, const Json& expected) const {
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
    result["decoded"] = tokenizer_.decode(encoding.ids, true);
    if (expected.contains("words")) result["words"] = encoding.word_ids;
    if (expected.contains("sequences")) result["sequences"] = encoding.sequence_ids;
    if (expected.contains("types")) result["types"] = encoding.type_ids;
    return result;
  }

  Json cases_;
  Json golden_;
  Tokenizer tokenizer_;
};

TEST_P(TokenizerGolden, AgreesWithTheReferenceOnEveryCase) {
  ASSERT_FALSE(golden_.at("expected").empty());
  for (const Json& expected : golden_.at("expected")) {
    const Json& input = cases_.at(expected["case"].get<std::size_t>());
    if (expected.contains("error")) {
      EXPECT_THROW(encode(input), Error) << input.dump();
      continue;
    }
    EXPECT_EQ(columns(encode(input), expected).dump(), expected.dump()) << input.dump();
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, TokenizerGolden, testing::ValuesIn(variant_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace inlay
