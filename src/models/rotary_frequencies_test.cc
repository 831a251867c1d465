// Numbers by hand from each method's formula, and what is wrong in a file.
#include "models/rotary_frequencies.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/operands.h"
#include "base/error.h"

namespace inlay {
namespace {

RotaryFrequencies read(const std::string& json, int64_t head_dim = 8, int64_t positions = 4096,
                       const std::string& layer_type = "") {
  return read_rotary_frequencies(ModelConfig::parse(json, "config.json"), head_dim, positions,
                                 layer_type);
}

void expect_inverse(const RotaryFrequencies& found, const std::vector<double>& wanted) {
  ASSERT_EQ(found.inverse.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(found.inverse[i], wanted[i], 1e-12 + 1e-9 * wanted[i]) << i;
}

TEST(RotaryFrequencies, AreTheInversePowersOfTheta) {
  expect_inverse(read("{}"), {1, 0.1, 0.01, 0.001});
  expect_inverse(read(R"({"rope_theta": 160000.0})"), {1, 0.05, 0.0025, 0.000125});
}

TEST(RotaryFrequencies, OldAndNewKeysSayTheSame) {
  RotaryFrequencies old_keys =
      read(R"({"rope_theta": 160000, "rope_scaling": {"type": "linear", "factor": 4}})");
  RotaryFrequencies new_keys =
      read(R"({"rope_parameters": {"rope_type": "linear", "factor": 4, "rope_theta": 160000}})");
  expect_inverse(old_keys, {0.25, 0.0125, 0.000625, 0.00003125});
  expect_inverse(new_keys, old_keys.inverse);
}

TEST(RotaryFrequencies, MayDifferByTheTypeOfLayer) {
  std::string json = R"({"rope_parameters": {
    "full_attention": {"rope_type": "linear", "factor": 8, "rope_theta": 160000},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10000}}})";
  expect_inverse(read(json, 8, 4096, "sliding_attention"), {1, 0.1, 0.01, 0.001});
  expect_inverse(read(json, 8, 4096, "full_attention"), {0.125, 0.00625, 0.0003125, 0.000015625});
}

TEST(RotaryFrequencies, TurnPartOfAHead) {
  EXPECT_EQ(read(R"({"partial_rotary_factor": 0.5})").inverse.size(), 2u);
}

// Wave lengths 2 pi / f of 6.28, 62.8, 628 and 6283 against 8192 / 4 = 2048 and 8192 / 1: the first
// three stay. The last turns 1.3038 times, a share of (1.3038 - 1) / 3 of the way to staying.
TEST(RotaryFrequencies, OfLlama3StretchLongWaves) {
  double kept = (8192 * 0.001 / (2 * M_PI) - 1) / 3;
  expect_inverse(read(R"({"rope_scaling": {"rope_type": "llama3", "factor": 8,
    "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}})"),
                 {1, 0.1, 0.01, kept * 0.001 + (1 - kept) * 0.001 / 8});
}

// Channels 8 ln(2048 / (32 2 pi)) / (2 ln 10000) = 1.008 and 8 ln(2048 / 2 pi) / (2 ln 10000) =
// 2.513 bound the ramp, rounded outwards to 1 and 3: the middle one is half stretched.
TEST(RotaryFrequencies, OfYarnRampOverTheChannels) {
  RotaryFrequencies found = read(R"({"rope_scaling": {"rope_type": "yarn", "factor": 4,
    "original_max_position_embeddings": 2048}})");
  expect_inverse(found, {1, 0.1, 0.01 * (0.5 + 0.5 / 4), 0.001 / 4});
  EXPECT_NEAR(found.scale, 0.1 * std::log(4.0) + 1, 1e-12);
}

// The same channels, 1.0080001 and 2.5131501, not rounded: the one between is stretched by a share
// of (2 - 1.0080001) / (2.5131501 - 1.0080001) = 0.6590705, to 0.01 (1 - 0.75 * 0.6590705).
TEST(RotaryFrequencies, OfYarnRampBetweenBrokenChannelsWithoutTruncation) {
  expect_inverse(read(R"({"rope_scaling": {"rope_type": "yarn", "factor": 4, "truncate": false,
    "original_max_position_embeddings": 2048}})"),
                 {1, 0.1, 0.005056971521129434, 0.001 / 4});
}

TEST(RotaryFrequencies, OfLongropeAreOthersForLongTexts) {
  RotaryFrequencies found = read(R"({"original_max_position_embeddings": 2048,
    "rope_scaling": {"type": "longrope", "short_factor": [1, 1, 2, 2],
                     "long_factor": [2, 4, 8, 16]}})");
  expect_inverse(found, {1, 0.1, 0.005, 0.0005});
  EXPECT_NEAR(found.scale, std::sqrt(1 + std::log(2.0) / std::log(2048.0)), 1e-12);
  RotaryTables near = rotary_tables(found.inverse, found.scale, 16);
  RotaryTables far = rotary_tables(found.inverse_long, found.scale, 16);
  EXPECT_NEAR(in(near.sine).load<double>(4 + 1), std::sin(0.1) * found.scale, 1e-7);
  EXPECT_NEAR(in(far.sine).load<double>(4 + 1), std::sin(0.025) * found.scale, 1e-7);
}

std::string error_of(const std::string& json) {
  try {
    read(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  ADD_FAILURE() << "no error for " << json;
  return "";
}

TEST(RotaryFrequencies, NameWhatIsWrong) {
  EXPECT_NE(error_of(R"({"rope_scaling": {"type": "spiral"}})")
                .find("config.json: rope_type \"spiral\" is not supported; supported: default"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"rope_scaling": {"type": "linear"}})").find("needs \"factor\""),
            std::string::npos);
  EXPECT_NE(error_of(R"({"rope_scaling": {"type": "linear", "factor": 0}})")
                .find("\"factor\" is 0; expected 1 or more"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"rope_scaling": {"type": "yarn", "factor": 4, "truncate": "no"}})")
                .find("\"truncate\""),
            std::string::npos);
  EXPECT_NE(error_of(R"({"rope_scaling": 4})").find("expected an object"), std::string::npos);
  EXPECT_NE(error_of(R"({"rope_scaling": {"type": "longrope", "short_factor": [1, 1],
                         "long_factor": [1, 1, 1, 1]}})")
                .find("\"short_factor\" is array of 2; expected an array of 4"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"partial_rotary_factor": 0.4})").find("3 of 8 channels"),
            std::string::npos);
}

}  // namespace
}  // namespace inlay
