#include "adapters/targets.h"

#include <gtest/gtest.h>

#include <deque>

#include "adapters/peft_targets.h"
#include "base/error.h"

namespace inlay {
namespace {

// Two layers with query, value and output.dense, and a pooler after them.
class Targets : public testing::Test {
 protected:
  Targets() {
    base_.model_type = "bert";
    base_.layers = 2;
    for (int layer = 0; layer < 2; ++layer) {
      std::string at = "encoder.layer." + std::to_string(layer) + ".";
      for (const char* name : {"attention.self.query", "attention.self.value", "output.dense"})
        add(at + name, layer);
    }
    add("pooler.dense", -1);
    for (const Site& site : sites_) base_.sites.push_back(&site);
  }

  void add(const std::string& name, int layer) { sites_.push_back({.name = name, .layer = layer}); }

  std::vector<std::string> select(const TargetRules& rules) const {
    std::vector<std::string> names;
    for (const Site* site : select_targets(base_, {SiteKind::kLinear}, rules))
      names.push_back(site->name);
    return names;
  }

  std::string refusal(const TargetRules& rules) const {
    try {
      select(rules);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  SiteSet sites(const TargetRules& rules) const {
    auto list = select_targets(base_, {SiteKind::kLinear}, rules);
    return {list.begin(), list.end()};
  }

  BaseFacts base_;
  std::deque<Site> sites_;
};

TEST_F(Targets, TheBasesOwnMaskedLmHeadIsNone) {
  sites_.push_back({.name = "cls.predictions.transform.dense", .role = SiteRole::kMaskedLm});
  base_.sites.push_back(&sites_.back());
  EXPECT_EQ(select({{"dense"}}).size(), 3u);
  EXPECT_EQ(select({{"all-linear"}}).size(), 7u);
  EXPECT_NE(refusal({{"transform.dense"}}), "");
  sites_.back().name = "lm_head.projection";
  std::string message = refusal({{"projection"}});
  EXPECT_NE(message.find("matches no linear module"), message.npos);
  EXPECT_EQ(message.find("projection", message.find("There are")), message.npos) << message;
  EXPECT_EQ(selected_by_peft({base_, "", {}}, {.target_modules = "all-linear"}).size(), 7u);
}

TEST_F(Targets, ASuffixMatchesWholeComponents) {
  EXPECT_EQ(select({{"query"}}).size(), 2u);
  EXPECT_EQ(select({{"output.dense"}}).size(), 2u);
  EXPECT_EQ(select({{"dense"}}).size(), 3u);
  EXPECT_NE(refusal({{"ery"}}), "");
}

TEST_F(Targets, APatternMatchesTheWholeName) {
  EXPECT_EQ(select({{".*layer\\.1\\..*"}}).size(), 3u);
  EXPECT_NE(refusal({{"layer\\.1\\..*"}}), "");
}

TEST_F(Targets, Trap7ATargetThatMatchesNothingNamesTheNearest) {
  std::string text = refusal({{"query", "vlaue"}});
  EXPECT_NE(text.find("target \"vlaue\" matches no linear module"), text.npos) << text;
  EXPECT_NE(text.find("did you mean \"value\"?"), text.npos) << text;
}

TEST_F(Targets, LayersAndExclusionsNarrowTheSelection) {
  EXPECT_EQ(select({{"all-linear"}, {"dense"}, {"1"}}),
            (std::vector<std::string>{"encoder.layer.1.attention.self.query",
                                      "encoder.layer.1.attention.self.value"}));
  EXPECT_NE(refusal({{"query"}, {}, {"2"}}).find("this base has layers 0 to 1"), std::string::npos);
  EXPECT_NE(refusal({{"query"}, {"value"}}), "");
}

TEST_F(Targets, APatternValueIsThatOfTheFirstKeyThatNamesTheSite) {
  std::map<std::string, double> ranks{{"layer.1.attention.self.query", 6}, {"query", 4}};
  EXPECT_EQ(pattern_value(ranks, "encoder.layer.1.attention.self.query", 8), 6);
  EXPECT_EQ(pattern_value(ranks, "encoder.layer.0.attention.self.query", 8), 4);
  EXPECT_EQ(pattern_value(ranks, "encoder.layer.0.attention.self.value", 8), 8);
}

TEST_F(Targets, APatternThatNamesNoAdaptedSiteIsRefused) {
  std::vector<const Site*> adapted = select_targets(base_, {SiteKind::kLinear}, {{"query"}});
  EXPECT_NO_THROW(check_patterns({{"layer.1.*", 4}, {"query", 2}}, adapted, "rank_pattern"));
  try {
    check_patterns({{"value", 4}}, adapted, "rank_pattern");
    FAIL() << "value is not adapted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "rank_pattern: \"value\" matches none of the adapted modules; did you mean "
                 "\"query\"? There are: query");
  }
}

TEST_F(Targets, PeftTakesListsForSuffixesAndTextsForPatterns) {
  PeftModel model{base_, "bert.", {}};
  EXPECT_EQ(selected_by_peft(model, {.target_modules = {"query", "nothing"}}).size(), 2u);
  EXPECT_TRUE(selected_by_peft(model, {.target_modules = {".*query"}}).empty());
  EXPECT_EQ(selected_by_peft(model, {.target_modules = ".*query"}).size(), 2u);
  EXPECT_TRUE(selected_by_peft(model, {.target_modules = "encoder.*query"}).empty());
  EXPECT_EQ(selected_by_peft(model, {.target_modules = {"dense"}, .layers_to_transform = 0}).size(),
            1u);
  EXPECT_EQ(
      selected_by_peft(model, {.target_modules = {"dense"}, .exclude_modules = {"pooler.dense"}})
          .size(),
      2u);
}

TEST_F(Targets, RulesThatPeftCannotHoldBecomeSuffixesForTheSameSites) {
  PeftModel model{base_, "bert.", {"classifier.dense"}};
  for (const TargetRules& rules :
       {TargetRules{{"all-linear"}}, TargetRules{{"query", ".*pooler.*"}},
        TargetRules{{"dense"}, {"0.output.dense"}},
        TargetRules{{"all-linear"}, {".*layer\\.0.*", "query"}},
        TargetRules{{"value"}, {}, {"1"}}}) {
    PeftTargets targets = targets_for_peft(model, rules, sites(rules));
    EXPECT_EQ(selected_by_peft(model, targets), sites(rules));
    TargetRules back = rules_from_peft(model, targets, sites(rules));
    EXPECT_EQ(sites(back), sites(rules));
  }
}

TEST_F(Targets, SuffixesAreAsShortAsTheyCanBeApartFromOtherNames) {
  TargetRules all{{"all-linear"}};
  EXPECT_EQ(targets_for_peft({base_, "", {}}, all, sites(all)).target_modules,
            Json({"dense", "query", "value"}));
  EXPECT_EQ(targets_for_peft({base_, "", {"classifier.dense"}}, all, sites(all)).target_modules,
            Json({"output.dense", "pooler.dense", "query", "value"}));
}

TEST_F(Targets, PatternsOfPrefixedNamesAreCarriedToBareOnes) {
  TargetRules query{{"query"}};
  std::map<std::string, double> plain{{"query", 2}};
  EXPECT_EQ(carry_patterns(plain, sites(query), 8, "bert.", ""), plain);
  std::map<std::string, double> prefixed{{"bert.encoder.layer.1.attention.self.query", 2}};
  std::map<std::string, double> bare{{"encoder.layer.1.attention.self.query", 2}};
  EXPECT_EQ(carry_patterns(prefixed, sites(query), 8, "bert.", ""), bare);
  std::map<std::string, double> idle{{"query", 2}, {"value", 4}};
  EXPECT_EQ(carry_patterns(idle, sites(query), 8, "bert.", ""), plain);
}

}  // namespace
}  // namespace inlay
