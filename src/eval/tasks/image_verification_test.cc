// The tasks over embeddings of pictures: what is learned, what is kept, how pairs are judged.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "autograd/gradient_check.h"
#include "autograd/ops/losses.h"
#include "data/images/pixel_store.h"
#include "eval/image_examples.h"
#include "eval/task.h"

namespace inlay {
namespace {

std::unique_ptr<Task> of_two_classes(const TaskOptions& options = {}) {
  return find_task("image-verification").make({"ann", "bob"}, 0, options);
}

// ImageVerificationOutputs of pictures of these identities.
class ImageVerificationOutputs {
 public:
  void add(int32_t identity, std::vector<float> embedding) {
    Example& source = sources_.emplace_back();
    source.class_id = identity;
    EncodedExample& example = examples_.emplace_back();
    example.source = &source;
    all_.push_back({&example, std::move(embedding)});
  }
  std::span<const ModelOutput> all() const { return all_; }

 private:
  std::deque<Example> sources_;
  std::deque<EncodedExample> examples_;
  std::vector<ModelOutput> all_;
};

TEST(ImageVerification, KeepsTheSumOfBothViewsAtLengthOne) {
  EncodedExample both;
  both.further.resize(1);
  // An embedding of 2 numbers, cosines of 2 classes, for the picture and for its mirror image.
  std::vector<float> rows{0.6f, 0.8f, 9, 9, 1, 0, 9, 9};
  std::vector<float> kept = of_two_classes()->kept(both, rows);
  ASSERT_EQ(kept.size(), 2u);
  double length = std::sqrt(1.6 * 1.6 + 0.8 * 0.8);
  EXPECT_NEAR(kept[0], 1.6 / length, 1e-6);
  EXPECT_NEAR(kept[1], 0.8 / length, 1e-6);
}

TEST(ImageVerification, RefusesAHeadThatGivesNoEmbedding) {
  std::vector<float> row{1, 0};
  EXPECT_THROW(of_two_classes()->kept(EncodedExample(), row), Error);
}

// The margin is on the cosines alone: 64 cos(acos(0.5) + 0.5) = 1.510181 against 0.
TEST(ImageVerification, LearnsFromTheCosines) {
  Example ann;
  ann.class_id = 0;
  EncodedExample example;
  example.source = &ann;
  std::vector<const EncodedExample*> all{&example};
  std::unique_ptr<Task> task = of_two_classes();
  BatchTargets targets = task->targets(all);
  Context context(DType::kF64);
  RowSpace rows = make_row_space({1});
  std::vector<double> numbers{3, 4, 5, 0.5, 0};
  Variable outputs = context.tape.constant(tensor_of({1, 5}, DType::kF64, numbers.data()), &rows);
  Variable loss = task->loss(context, outputs, targets, task->loss_weight(all));
  EXPECT_NEAR(loss.value().data<double>()[0], std::log1p(std::exp(-1.510181)), 1e-7);
}

TEST(ImageVerification, PassesOverIdentitiesThatItHasNoClassFor) {
  Example ann, stranger;
  ann.class_id = 1;
  stranger.class_id = 7;
  EncodedExample first, second;
  first.source = &ann;
  second.source = &stranger;
  std::vector<const EncodedExample*> all{&first, &second};
  std::unique_ptr<Task> task = of_two_classes();
  EXPECT_EQ(task->targets(all).classes, (std::vector<int32_t>{1, kIgnoredLabel}));
  EXPECT_EQ(task->loss_weight(all), 1);
}

TEST(ImageVerification, JudgesPairsOfIdentitiesThatNobodyTrainedOn) {
  ImageVerificationOutputs outputs;
  for (int32_t i = 0; i < 8; ++i) {
    outputs.add(100, {1, 0});
    outputs.add(200, {0, 1});
  }
  std::unique_ptr<Task> task = of_two_classes();
  Json metrics = task->metrics(outputs.all());
  EXPECT_EQ(metrics.at("accuracy"), 1);
  EXPECT_EQ(metrics.at("accuracy_interval"), Json::array({1.0, 1.0}));
  EXPECT_EQ(metrics.at("roc_auc"), 1);
  EXPECT_EQ(metrics.at("same_pairs"), 56);
  EXPECT_EQ(metrics.at("different_pairs"), 56);
  EXPECT_TRUE(metrics.at("tar_at_far_0.001").is_null());
  for (const std::string& name : find_task("image-verification").choosing_metrics)
    EXPECT_TRUE(metrics.contains(name)) << name;
}

TEST(ImageVerification, HasNoFiguresWithoutTwoIdentities) {
  ImageVerificationOutputs outputs;
  for (int32_t i = 0; i < 3; ++i) outputs.add(0, {1, 0});
  std::unique_ptr<Task> task = of_two_classes();
  Json metrics = task->metrics(outputs.all());
  for (const char* name : {"accuracy", "roc_auc", "tar_at_far_0.001", "tar_at_far_0.01"})
    EXPECT_TRUE(metrics.at(name).is_null()) << name;
  EXPECT_EQ(metrics.at("different_pairs"), 0);
}

// The third of identity 0 points elsewhere: its pairs are the worst, and so is its neighbour's.
TEST(ImageVerification, ShowsTheWorstPairs) {
  ImageVerificationOutputs outputs;
  outputs.add(0, {1, 0});
  outputs.add(0, {1, 0});
  outputs.add(0, {-1, 0});
  outputs.add(1, {-1, 0});
  Json pairs = of_two_classes()->details(outputs.all()).at("pairs");
  ASSERT_EQ(pairs.size(), 6u);
  EXPECT_EQ(pairs[0].at("outputs"), Json::array({0, 2}));
  EXPECT_EQ(pairs[0].at("same"), true);
  EXPECT_EQ(pairs[0].at("distance"), 4);
  EXPECT_EQ(pairs[3].at("outputs"), Json::array({2, 3}));
  EXPECT_EQ(pairs[3].at("same"), false);
  EXPECT_EQ(pairs[3].at("distance"), 0);
}

// A picture that was read, to be posed.
class Posed : public testing::Test {
 protected:
  Posed() {
    auto store = std::make_shared<PixelStore>();
    store->add({1, 4, 4}, std::vector<uint8_t>(16, 128), "grey");
    data_.kind = TaskKind::kImageIdentity;
    data_.examples.emplace_back();
    data_.images = std::move(store);
    encoded_ = encode_images(data_, {.height = 4, .width = 4});
  }

  Dataset data_;
  std::vector<EncodedExample> encoded_;
};

TEST_F(Posed, IsSeenFromBothSidesWhereItIsJudged) {
  std::unique_ptr<Task> task = of_two_classes();
  for (Occasion::Kind kind : {Occasion::Kind::kEvaluation, Occasion::Kind::kAnswer}) {
    std::optional<EncodedExample> posed = task->posed(encoded_[0], {.kind = kind});
    ASSERT_TRUE(posed.has_value());
    ASSERT_EQ(posed->sequence_count(), 2u);
    EXPECT_EQ(posed->tokens.pixels, encoded_[0].tokens.pixels);
    ASSERT_NE(posed->further[0].pixels, nullptr);
    EXPECT_NE(posed->further[0].pixels, encoded_[0].tokens.pixels);
  }
  EXPECT_FALSE(task->posed(encoded_[0], {.kind = Occasion::Kind::kTraining}).has_value());
}

TEST_F(Posed, IsChangedInTrainingWhereSomebodyAsks) {
  std::unique_ptr<Task> task = of_two_classes({.augmentation = {.flip = 1}});
  std::optional<EncodedExample> posed =
      task->posed(encoded_[0], {.kind = Occasion::Kind::kTraining});
  ASSERT_TRUE(posed.has_value());
  EXPECT_EQ(posed->sequence_count(), 1u);
  EXPECT_NE(posed->tokens.pixels, encoded_[0].tokens.pixels);
}

TEST(ImageVerification, RefusesToMixIdentities) {
  EXPECT_THROW(of_two_classes({.augmentation = {.mixup = 0.2}}), Error);
}

TEST(ImageEmbedding, GivesAVectorOfLengthOne) {
  ImageVerificationOutputs outputs;
  outputs.add(-1, {3, 4});
  for (const char* name : {"image-embedding", "sentence-embedding", "image-verification"}) {
    Json embedding = find_task(name).make({}, 2, {})->prediction(outputs.all()[0]).at("embedding");
    EXPECT_EQ(embedding, Json::array({0.6, 0.8})) << name;
  }
}

TEST(ImageEmbedding, RefusesAVectorWithoutADirectionByThePicturesName) {
  Dataset data;
  auto store = std::make_shared<PixelStore>();
  store->add({1, 4, 4}, std::vector<uint8_t>(16, 128), "grey");
  data.kind = TaskKind::kImageLabel;
  data.examples.emplace_back().text = "cats/1.png";
  data.images = std::move(store);
  std::vector<EncodedExample> encoded = encode_images(data, {.height = 4, .width = 4});
  ModelOutput output{encoded.data(), {0, 0}};
  try {
    find_task("image-embedding").make({}, 2, {})->prediction(output);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("cats/1.png: the embedding has length 0"))
        << error.what();
  }
}

}  // namespace
}  // namespace inlay
