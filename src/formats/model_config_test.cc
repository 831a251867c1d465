#include "formats/model_config.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

template <class Call>
std::string model_config_error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "accepted";
}

TEST(ModelConfig, GivesTypedValuesAndFallbacks) {
  ModelConfig config = ModelConfig::parse(
      R"({"hidden_size":384,"layer_norm_eps":1e-12,"n_inner":null,"model_type":"bert","is_decoder":true})",
      "c");
  EXPECT_EQ(config.integer("hidden_size", 1, 1 << 20), 384);
  EXPECT_EQ(config.number("layer_norm_eps", 0, 1), 1e-12);
  EXPECT_EQ(config.integer_or("n_inner", 1536, 1, 1 << 20), 1536);
  EXPECT_EQ(config.text("model_type"), "bert");
  EXPECT_TRUE(config.boolean_or("is_decoder", false));
  EXPECT_FALSE(config.has("n_inner"));
  EXPECT_TRUE(config.labels().empty());
}

TEST(ModelConfig, ErrorsNameTheFileTheKeyAndTheRange) {
  ModelConfig config =
      ModelConfig::parse(R"({"a":0,"b":"x","d":18446744073709551615,"e":1.5})", "c.json");
  EXPECT_EQ(model_config_error_of([&] { config.integer("a", 1, 64); }),
            "c.json: \"a\" is 0; expected 1 to 64");
  EXPECT_EQ(model_config_error_of([&] { config.integer("b", 1, 64); }),
            "c.json: \"b\" is string (\"x\"); expected an integer");
  EXPECT_NE(model_config_error_of([&] { config.integer("d", 1, 64); }).find("too large"),
            std::string::npos);
  EXPECT_NE(model_config_error_of([&] { config.integer("e", 1, 64); }).find("expected an integer"),
            std::string::npos);
  EXPECT_NE(model_config_error_of([&] { config.integer("z", 1, 64); }).find("\"z\" is missing"),
            std::string::npos);
}

TEST(ModelConfig, LabelsMustRunFromZeroWithoutAGap) {
  auto labels = [](const char* text) { return ModelConfig::parse(text, "c").labels(); };
  EXPECT_EQ(labels(R"({"id2label":{"1":"yes","0":"no"}})"),
            (std::vector<std::string>{"no", "yes"}));
  EXPECT_NE(model_config_error_of([&] {
              labels(R"({"id2label":{"0":"no","2":"yes"}})");
            }).find("id2label: key \"1\" is missing"),
            std::string::npos);
  EXPECT_NE(
      model_config_error_of([&] { labels(R"({"id2label":[1]})"); }).find("expected an object"),
      std::string::npos);
}

TEST(ModelConfig, OnlyAnObjectIsAConfig) {
  EXPECT_NE(
      model_config_error_of([] { ModelConfig::parse("[]", "c"); }).find("expected a JSON object"),
      std::string::npos);
  EXPECT_NE(model_config_error_of([] {
              ModelConfig::parse(std::string(9 << 20, ' '), "c");
            }).find("limit"),
            std::string::npos);
}

}  // namespace
}  // namespace inlay
