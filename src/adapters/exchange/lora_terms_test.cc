#include "adapters/exchange/lora_terms.h"

#include "adapters/exchange/exchange_test_files.h"

namespace inlay::exchange {
namespace {

LoraModule module(const std::string& name, double scale, int64_t rank = 2) {
  return {.name = name,
          .a = random_tensor({rank, 4}, name + "A"),
          .b = random_tensor({6, rank}, name + "B"),
          .scale = scale};
}

TEST(LoraTerms, PowersOfTwoFoldExactlyInEveryDtype) {
  for (DType dtype : {DType::kF16, DType::kBF16, DType::kF32}) {
    LoraAdapter adapter{.modules = {module("a", 2), module("b", 0.5)}};
    adapter.modules[1].b = adapter.modules[1].b.to(dtype);
    Tensor before = adapter.modules[1].b.to(DType::kF32);
    fold_scales(adapter, 2, Rounding::kRefuse, "it");
    EXPECT_EQ(adapter.modules[1].b.dtype(), dtype);
    EXPECT_EQ(adapter.common_scale(), 2);
    Tensor after = adapter.modules[1].b.to(DType::kF32);
    for (int64_t i = 0; i < before.count(); ++i)
      EXPECT_EQ(after.data<float>()[i], before.data<float>()[i] / 4);
  }
}

TEST(LoraTerms, AllowedRoundingWidensHalves) {
  LoraAdapter adapter{.modules = {module("a", 1), module("b", 0.3)}};
  adapter.modules[1].b = adapter.modules[1].b.to(DType::kBF16);
  Tensor before = adapter.modules[1].b.to(DType::kF32);
  fold_scales(adapter, 1, Rounding::kAllow, "it");
  EXPECT_EQ(adapter.modules[1].b.dtype(), DType::kF32);
  for (int64_t i = 0; i < before.count(); ++i) {
    EXPECT_EQ(adapter.modules[1].b.data<float>()[i],
              static_cast<float>(before.data<float>()[i] * 0.3));
  }
}

TEST(LoraTerms, RefusesWhatPassesTheRangeOfFloats) {
  LoraAdapter adapter{.modules = {module("a", 1e-30), module("b", 1e30)}};
  expect_error([&] { fold_scales(adapter, 1e-30, Rounding::kAllow, "it"); }, {"range", "b (scale"});
}

TEST(LoraTerms, AScaleOfZeroIsNeverTheCommonOne) {
  LoraAdapter adapter{.modules = {module("a", 0), module("b", 0), module("c", 3)}};
  EXPECT_EQ(usual_scale(adapter), 3);
  fold_scales(adapter, 3, Rounding::kRefuse, "it");
  EXPECT_EQ(adapter.modules[0].b.data<float>()[0], 0);
}

TEST(LoraTerms, AlphaGivesTheScaleBack) {
  EXPECT_EQ(alpha_for(2.5, 4), 10);
  int exact = 0;
  for (int64_t rank = 1; rank <= 64; ++rank) {
    double scale = 16 / std::sqrt(static_cast<double>(rank)), alpha = alpha_for(scale, rank);
    EXPECT_DOUBLE_EQ(alpha / static_cast<double>(rank), scale) << rank;
    exact += alpha / static_cast<double>(rank) == scale ? 1 : 0;
  }
  EXPECT_GE(exact, 55);
}

TEST(LoraTerms, FillsOnlyWhatIsMissing) {
  LoraAdapter adapter{.modules = {module("l.layers.0.q", 1), module("l.layers.2.q", 1)}};
  fill_layers(adapter, 0, 3, "it");
  ASSERT_EQ(adapter.modules.size(), 4u);
  EXPECT_EQ(adapter.modules[1].name, "l.layers.1.q");
  EXPECT_EQ(adapter.modules[1].b.data<float>()[0], 0);
  EXPECT_NE(adapter.modules[2].b.data<float>()[0], 0);
  expect_error([&] { fill_layers(adapter, 0, 9999, "it"); }, {"more than 1024"});
  LoraAdapter dora{.modules = {module("l.layers.0.q", 1)}};
  dora.modules[0].magnitude = random_tensor({6}, "m");
  expect_error([&] { fill_layers(dora, 0, 1, "it"); }, {"DoRA", "l.layers.1.q"});
}

TEST(LoraTerms, LayersMayStandAtOneDistance) {
  auto at = [](const std::vector<int64_t>& layers) {
    std::vector<LoraModule> modules;
    modules.reserve(layers.size());
    for (int64_t layer : layers) modules.push_back(module(fmt::format("l.layers.{}.q", layer), 1));
    return modules;
  };
  check_complete(at({3, 7, 11}), {}, "file");
  check_complete(at({2}), {}, "file");
  expect_error([&] { check_complete(at({0, 1, 3}), {}, "file"); }, {"l.layers.2.q"});
  expect_error([&] { check_complete(at({0, 1}), {0, 1, 4}, "file"); }, {"l.layers.4.q"});
}

}  // namespace
}  // namespace inlay::exchange
