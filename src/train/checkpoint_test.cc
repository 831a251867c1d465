#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

struct Trained {
  Parameter weight{"weight", Tensor::of<float>({2}, std::vector<float>{0.1f, -3e-20f})};
  std::vector<Parameter*> parameters{&weight};
  std::vector<Tensor> best;
  Optimizer optimizer{{}, {{parameters, 1e-3}}};
};

class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path_); }
  fs::path path_ = fs::path(testing::TempDir()) / "train_checkpoint_test.safetensors";
};

TEST_F(CheckpointTest, GivesBackEveryBit) {
  Trained before;
  TrainState state{.epoch = 3,
                   .batch = 7,
                   .epochs_without_gain = 1,
                   .best_metric = 0.1 + 0.2,
                   .best_epoch = 2,
                   .loss_sum = 1.0 / 3,
                   .train_seconds = 0.7,
                   .flops = 1e15,
                   .tokens = 12345};
  before.best = {Tensor::of<float>({2}, std::vector<float>{5, 6})};
  save_checkpoint(path_, state, before.parameters, before.best, before.optimizer);

  Trained after;
  after.weight.set_value(Tensor::zeros({2}, DType::kF32));
  TrainState loaded = load_checkpoint(path_, after.parameters, after.best, after.optimizer);
  EXPECT_EQ(loaded.epoch, 3);
  EXPECT_EQ(loaded.batch, 7);
  EXPECT_EQ(loaded.epochs_without_gain, 1);
  EXPECT_EQ(loaded.best_metric, 0.1 + 0.2);
  EXPECT_EQ(loaded.best_epoch, 2);
  EXPECT_EQ(loaded.loss_sum, 1.0 / 3);
  EXPECT_EQ(loaded.flops, 1e15);
  EXPECT_EQ(loaded.tokens, 12345);
  EXPECT_EQ(after.weight.value().data<float>()[1], -3e-20f);
  ASSERT_EQ(after.best.size(), 1u);
  EXPECT_EQ(after.best[0].data<float>()[0], 5.0f);
}

TEST_F(CheckpointTest, HasNoBestBeforeAMetricWasDefined) {
  Trained before;
  save_checkpoint(path_, {.epoch = 1}, before.parameters, {}, before.optimizer);
  Trained after;
  TrainState loaded = load_checkpoint(path_, after.parameters, after.best, after.optimizer);
  EXPECT_FALSE(loaded.best_metric.has_value());
  EXPECT_TRUE(after.best.empty());
}

TEST_F(CheckpointTest, OfOtherShapesIsRefused) {
  Trained before;
  save_checkpoint(path_, {}, before.parameters, {}, before.optimizer);
  Trained after;
  after.weight = Parameter("weight", Tensor::zeros({3}, DType::kF32));
  EXPECT_THROW(load_checkpoint(path_, after.parameters, after.best, after.optimizer), Error);
}

TEST_F(CheckpointTest, MomentsOfOtherShapesAreRefused) {
  Trained before, after;
  Parameter longer("weight", Tensor::zeros({3}, DType::kF32));
  Optimizer other({}, {{{&longer}, 1e-3}});
  save_checkpoint(path_, {}, before.parameters, {}, other);
  try {
    load_checkpoint(path_, after.parameters, after.best, after.optimizer);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    std::string message = error.what();
    EXPECT_NE(message.find("m.weight is F32 of shape (3), expected F32 of shape (2)"),
              std::string::npos)
        << message;
  }
}

}  // namespace
}  // namespace inlay
