#include <gtest/gtest.h>

#include "models/family.h"

namespace inlay {
namespace {

ModelConfig config_with(const std::string& more) {
  return ModelConfig::parse(R"({"model_type": "dinov2", "hidden_size": 8)" + more + "}",
                            "config.json");
}

BaseFacts dinov2_facts_of(const ModelConfig& config) {
  BaseFacts facts;
  find_family(config).describe(config, facts);
  return facts;
}

TEST(Dinov2, ItsHeadReadsTwoRowsOfChannels) {
  BaseFacts facts = dinov2_facts_of(config_with(R"(, "num_hidden_layers": 3, "image_size": 518)"));
  EXPECT_EQ(facts.layers, 3);
  EXPECT_EQ(facts.channels_of(facts.sequence_head.input), 16);
  EXPECT_EQ(facts.channels_of(HeadInput::kFirst), 8);
  EXPECT_EQ(facts.image_size.places(), 0) << "images may have any size";
}

TEST(Dinov2, RefusesTheGatedFeedForwardPartByName) {
  ModelConfig config = config_with(R"(, "use_swiglu_ffn": true)");
  std::vector<NamedTensor> made;
  WeightSource weights(NewWeights{.made = &made}, "dinov2.", "a test");
  try {
    (void)find_family(config).build(config, dinov2_facts_of(config), {}, weights);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("use_swiglu_ffn is true; expected false"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace inlay
