#include <gtest/gtest.h>

#include "models/family.h"

namespace inlay {
namespace {

BaseFacts facts_of(const std::string& more) {
  ModelConfig config =
      ModelConfig::parse(R"({"model_type": "convnext")" + more + "}", "config.json");
  BaseFacts facts;
  find_family(config).describe(config, facts);
  return facts;
}

TEST(ConvNext, IsTheTinyOneWhereTheConfigurationSaysNothing) {
  BaseFacts facts = facts_of("");
  EXPECT_EQ(facts.layers, 18);
  EXPECT_EQ(facts.hidden, 768);
  EXPECT_EQ(facts.sequence_head.input, HeadInput::kPooler);
}

TEST(ConvNext, WantsADepthForEachStage) {
  try {
    (void)facts_of(R"(, "hidden_sizes": [8, 16], "depths": [1])");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("hidden_sizes has 2 numbers and depths 1"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace inlay
