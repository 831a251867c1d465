#include "base/fields.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

struct Config {
  int64_t r = 8;
  double alpha = 8;
  bool use_rslora = false;
  std::string note;
  std::optional<std::string> head;
  std::vector<std::string> target_modules;
  std::map<std::string, double> rank_pattern;
  std::string init = "kaiming";
  void fields(FieldVisitor& visit) {
    visit("r", r, "rank of the update");
    visit("alpha", alpha, "scale is alpha / r");
    visit("use_rslora", use_rslora, "scale is alpha / sqrt(r)");
    visit("note", note, "free text");
    visit("head", head, "name of a head");
    visit("target_modules", target_modules, "sites to adapt");
    visit("rank_pattern", rank_pattern, "rank per site");
    visit.choice("init", init, {"kaiming", "gaussian", "zeros"}, "initial values of A");
  }
};

Config unusual() {
  Config config;
  config.r = -3;
  config.alpha = 0.1;
  config.use_rslora = true;
  config.note = "it's a, b = [c]";
  config.head = "none";
  config.target_modules = {"query", "layer\\.\\d+\\.v", "a,b", ""};
  config.rank_pattern = {{"q:k", 4}, {"v", 1e-30}};
  config.init = "zeros";
  return config;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

std::string text_error(const std::string& text) {
  Config config;
  return message_of([&] { apply_text(config, text, "lora"); });
}

std::string json_error(const Json& json) {
  Config config;
  return message_of([&] { from_json(config, json, "config.json"); });
}

TEST(Fields, GoToJsonAndBack) {
  Config config;
  from_json(config, parse_json(canonical_json(to_json(unusual())), "test"), "test");
  EXPECT_TRUE(same_fields(config, unusual()));
  EXPECT_FALSE(same_fields(config, Config()));
}

TEST(Fields, GoToTextAndBack) {
  Config config;
  apply_text(config, to_text(unusual()), "test");
  EXPECT_EQ(to_json(config), to_json(unusual()));
  Config changed = unusual();
  apply_text(changed, to_text(Config()), "test");
  EXPECT_TRUE(same_fields(changed, Config()));
}

TEST(Fields, TextSetsOnlyWhatItNames) {
  Config config;
  apply_text(config, " r = 16 , target_modules = query + 'a+b' , rank_pattern=q:2", "lora");
  EXPECT_EQ(config.r, 16);
  EXPECT_EQ(config.alpha, 8);
  EXPECT_EQ(config.target_modules, (std::vector<std::string>{"query", "a+b"}));
  EXPECT_EQ(config.rank_pattern, (std::map<std::string, double>{{"q", 2}}));
  apply_text(config, "target_modules=,head=none", "lora");
  EXPECT_TRUE(config.target_modules.empty());
  EXPECT_FALSE(config.head.has_value());
}

TEST(Fields, AnUnknownNameIsAnErrorThatNamesTheNearestAndAll) {
  const std::string expected =
      "lora: no setting \"alhpa\"; did you mean \"alpha\"? The settings are r, alpha, use_rslora, "
      "note, head, "
      "target_modules, rank_pattern, init";
  EXPECT_EQ(text_error("alhpa=3"), expected);
  EXPECT_EQ(json_error({{"use_rs_lora", true}}).substr(0, 65),
            "config.json: no setting \"use_rs_lora\"; did you mean \"use_rslora\"?");
}

TEST(Fields, AWrongValueIsAnErrorThatNamesTheType) {
  EXPECT_EQ(text_error("r=8.5"), "lora: r is \"8.5\"; expected integer");
  EXPECT_EQ(text_error("r="), "lora: r is \"\"; expected integer");
  EXPECT_EQ(text_error("r=99999999999999999999"),
            "lora: r is \"99999999999999999999\"; expected integer");
  EXPECT_EQ(text_error("alpha=nan"), "lora: alpha is \"nan\"; expected number");
  EXPECT_EQ(text_error("use_rslora=yes"), "lora: use_rslora is \"yes\"; expected true or false");
  EXPECT_EQ(text_error("rank_pattern=q"),
            "lora: rank_pattern is \"q\"; expected map, such as query:4+value:16");
  EXPECT_EQ(
      text_error("target_modules=a++b"),
      "lora: target_modules is \"a++b\"; expected list, items between '+' such as query+value");
  EXPECT_EQ(text_error("r=8,r=9"), "lora: r is given twice; remove one");
  EXPECT_EQ(text_error("r"),
            "lora: \"r\" is not a setting; expected name=value (a list has + between its items)");
  EXPECT_EQ(text_error("note='x"),
            "\"note='x\" has a single quote that is not closed; write '' for a quote");
}

TEST(Fields, AWordThatOnlyOneChoiceHasStandsForItself) {
  Config config;
  apply_text(config, "r=4,zeros", "lora");
  EXPECT_EQ(config.init, "zeros");
  EXPECT_EQ(config.r, 4);
  EXPECT_EQ(text_error("zeros,init=gaussian"), "lora: init is given twice; remove one");
}

TEST(Fields, JsonOfAnotherTypeIsAnError) {
  EXPECT_EQ(json_error({{"r", "8"}}), "config.json: r is \"8\"; expected integer");
  EXPECT_EQ(json_error({{"r", 8.0}}), "config.json: r is 8.0; expected integer");
  EXPECT_EQ(json_error({{"r", UINT64_MAX}}),
            "config.json: r is 18446744073709551615; expected integer");
  EXPECT_EQ(json_error({{"note", nullptr}}), "config.json: note is null; expected text");
  EXPECT_EQ(json_error({{"target_modules", "q"}}),
            "config.json: target_modules is \"q\"; expected list");
  EXPECT_EQ(json_error({{"target_modules", {1}}}),
            "config.json: target_modules is [1]; expected list");
  EXPECT_EQ(json_error(Json::array()), "config.json: found array; expected an object of settings");
}

TEST(Fields, AnIntegerIsGoodWhereANumberIsExpected) {
  Config config;
  from_json(config, {{"alpha", 16}, {"head", nullptr}}, "test");
  EXPECT_EQ(config.alpha, 16.0);
}

TEST(Fields, AChoiceIsOneOfItsList) {
  EXPECT_EQ(text_error("init=zero"),
            "lora: init is \"zero\"; did you mean \"zeros\"? It can be kaiming, gaussian, zeros");
  EXPECT_EQ(json_error({{"init", "zeroes"}}).substr(0, 55),
            "config.json: init is \"zeroes\"; did you mean \"zeros\"? It");
}

TEST(Fields, DescribeThemselves) {
  const auto infos = describe_fields<Config>();
  ASSERT_EQ(infos.size(), 8u);
  EXPECT_EQ(infos[0].name, "r");
  EXPECT_EQ(infos[0].type, "integer");
  EXPECT_EQ(infos[0].default_text, "8");
  EXPECT_EQ(infos[0].help, "rank of the update");
  EXPECT_EQ(infos[4].default_text, "none");
  EXPECT_EQ(infos[7].choices.size(), 3u);
}

}  // namespace
}  // namespace inlay
