#include "adapters/adapter_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adapters/arithmetic/weight_update.h"

namespace inlay {
namespace {

// One linear layer W (3, 4) = diag(5, 2, 1), so that every figure can be worked out by hand.
class StatisticsTest : public testing::Test {
 protected:
  StatisticsTest() {
    site_ = {.name = "layer.0.query", .in = 4, .out = 3};
    site_.weight = Tensor::zeros({3, 4}, DType::kF32);
    auto* w = site_.weight.mutable_data<float>();
    w[0] = 5;
    w[5] = 2;
    w[10] = 1;
    site_.bias = Tensor::zeros({3}, DType::kF32);
    base_.sites.push_back(&site_);
  }

  // LoRA of rank 2 and scale 2.
  std::unique_ptr<Adapter> lora(std::vector<float> a, std::vector<float> b) const {
    auto adapter = Adapter::create("a", parse_method("lora[r=2,alpha=4]"), base_, 0);
    auto& entries = adapter->entries();
    entries[0].parameter.set_value(Tensor::of<float>({2, 4}, a));
    entries[1].parameter.set_value(Tensor::of<float>({3, 2}, b));
    return adapter;
  }

  BaseFacts base_;
  Site site_;
};

// dW = 2 (3 e1 e1^T + 1 e2 e3^T): singular values 6 and 2.
TEST_F(StatisticsTest, FiguresOfAnUpdateWorkedByHand) {
  auto adapter = lora({1, 0, 0, 0, 0, 0, 1, 0}, {3, 0, 0, 1, 0, 0});
  std::vector<SiteStatistics> all = adapter_statistics(*adapter);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].parameters, 2 * 4 + 3 * 2);
  EXPECT_EQ(all[0].bytes, 4 * (2 * 4 + 3 * 2));
  ASSERT_TRUE(all[0].update.has_value());
  const UpdateStatistics& update = *all[0].update;
  EXPECT_NEAR(update.norm, std::sqrt(40.0), 1e-9);
  EXPECT_NEAR(update.relative, std::sqrt(40.0 / 30.0), 1e-9);
  EXPECT_NEAR(relative_change(*adapter, site_), update.relative, 1e-9);
  EXPECT_EQ(update.rank, 2);
  ASSERT_EQ(update.spectrum.size(), 2u);
  EXPECT_NEAR(update.spectrum[0], 6, 1e-9);
  EXPECT_NEAR(update.spectrum[1], 2, 1e-9);
  double entropy = -(0.75 * std::log(0.75) + 0.25 * std::log(0.25));
  EXPECT_NEAR(update.effective_rank, std::exp(entropy), 1e-9);
  EXPECT_NEAR(update.stable_rank, 40.0 / 36.0, 1e-9);
  EXPECT_NEAR(update.used, std::exp(entropy) / 2, 1e-9);
  // U = (e1, e2), V = (e1, e3): U^T W V = diag(5, 0).
  EXPECT_NEAR(update.amplification, std::sqrt(40.0) / 5, 1e-9);
}

TEST_F(StatisticsTest, AFreshAdapterHasMovedNothing) {
  auto adapter = Adapter::create("a", parse_method("lora[r=2]"), base_, 0);
  const UpdateStatistics update = *adapter_statistics(*adapter)[0].update;
  EXPECT_EQ(update.norm, 0);
  EXPECT_EQ(update.relative, 0);
  EXPECT_EQ(update.effective_rank, 0);
  EXPECT_EQ(update.stable_rank, 0);
  EXPECT_EQ(update.amplification, 0);
}

// The whole matrix by merge gives what the factors give.
TEST_F(StatisticsTest, MethodsWithoutFactorsAreMeasuredThroughTheirMerge) {
  auto adapter = Adapter::create("a", parse_method("full"), base_, 0);
  for (Adapter::Entry& entry : adapter->entries()) {
    if (entry.part != "weight") continue;
    Tensor moved = site_.weight.clone();
    moved.mutable_data<float>()[0] += 6;
    moved.mutable_data<float>()[6] += 2;
    entry.parameter.set_value(moved);
  }
  const UpdateStatistics update = *adapter_statistics(*adapter)[0].update;
  EXPECT_NEAR(update.norm, std::sqrt(40.0), 1e-9);
  EXPECT_EQ(update.rank, 3);
  EXPECT_NEAR(update.stable_rank, 40.0 / 36.0, 1e-9);
  EXPECT_NEAR(update.amplification, std::sqrt(40.0) / 5, 1e-9);
}

TEST_F(StatisticsTest, MethodsThatLeaveTheWeightAloneHaveCountsOnly) {
  auto adapter = Adapter::create("a", parse_method("bitfit"), base_, 0);
  SiteStatistics here = adapter_statistics(*adapter)[0];
  EXPECT_EQ(here.parameters, 3);
  EXPECT_FALSE(here.update.has_value());
}

TEST_F(StatisticsTest, OverlapOfEqualOppositeAndUnrelatedUpdates) {
  auto a = lora({1, 0, 0, 0, 0, 1, 0, 0}, {1, 0, 0, 1, 0, 0});
  auto opposite = lora({-1, 0, 0, 0, 0, -1, 0, 0}, {1, 0, 0, 1, 0, 0});
  // Reads e1 and e3 where a reads e1 and e2; writes the same.
  auto half = lora({1, 0, 0, 0, 0, 0, 1, 0}, {1, 0, 0, 1, 0, 0});
  auto close = [](double found, double expected) { EXPECT_NEAR(found, expected, 1e-9); };
  SiteOverlap same = adapter_overlap(*a, *a).at(0), turned = adapter_overlap(*a, *opposite).at(0),
              mixed = adapter_overlap(*a, *half).at(0);
  close(same.cosine, 1);
  close(same.read, 1);
  close(same.written, 1);
  close(turned.cosine, -1);
  close(turned.read, 1);
  close(mixed.cosine, 0.5);
  close(mixed.read, 0.5);
  close(mixed.written, 1);
}

}  // namespace
}  // namespace inlay
