#include "image/rand_augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "image/resize.h"
#include "image/test_images.h"

namespace inlay {
namespace {

const RandAugmentOperation& operation(const std::string& name) {
  for (const RandAugmentOperation& candidate : rand_augment_operations()) {
    if (candidate.name == name) return candidate;
  }
  throw std::runtime_error("no operation " + name);
}

TEST(RandAugment, HasTorchvisionsOperationsWithTheBytesOfPil) {
  const Goldens goldens;
  const Image noise = golden_image("rgb.png");
  const Image photo = resize(golden_image("photo.jpg"), 23, 13, Resample::kBilinear);
  std::set<std::string> names;
  for (const Json& golden : goldens.cases.at("operations")) {
    const auto name = golden.at("name").get<std::string>();
    const Image& source = golden.at("photo").get<bool>() ? photo : noise;
    const auto magnitude = golden.at("magnitude").get<double>();
    expect_same(operation(name).apply(source, magnitude), goldens.expected(golden), golden.dump());
    names.insert(name);
  }
  EXPECT_EQ(names.size(), rand_augment_operations().size());
  EXPECT_EQ(names.size(), 14u);
}

TEST(RandAugment, DrawsEveryOperationAndBothSignsEquallyOften) {
  const Image photo = resize(golden_image("photo.jpg"), 23, 13, Resample::kBilinear);
  std::map<std::vector<uint8_t>, std::pair<int, double>> results;  // count, expected share
  for (const RandAugmentOperation& each : rand_augment_operations()) {
    for (const double sign : {1.0, -1.0}) {
      const double magnitude = each.has_sign ? 9 * sign : 9;
      results[each.apply(photo, magnitude).rgb].second += 1.0 / 28;
    }
  }
  constexpr int kDraws = 1400;
  for (int i = 0; i < kDraws; ++i) {
    const Stream stream(3, std::to_string(i));
    const auto found = results.find(rand_augmented(photo, 1, 9, stream, 5).rgb);
    ASSERT_NE(found, results.end());
    ++found->second.first;
  }
  for (const auto& [pixels, result] : results) {
    const double wanted = kDraws * result.second;
    EXPECT_NEAR(result.first, wanted, 5 * std::sqrt(wanted));
  }
}

TEST(RandAugment, ChainsOperations) {
  const Image noise = golden_image("rgb.png");
  const Stream stream(1, "chain");
  EXPECT_EQ(rand_augmented(noise, 0, 9, stream, 0), noise);
  const Image once = rand_augmented(noise, 1, 9, stream, 0);
  EXPECT_EQ(rand_augmented(noise, 2, 9, stream, 0), rand_augmented(once, 1, 9, stream, 2));
}

}  // namespace
}  // namespace inlay
