#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "autograd/operands.h"
#include "eval/detection_places.h"
#include "eval/task.h"
#include "nn/detection_head.h"

namespace inlay {
namespace {

constexpr MapSize kPicture = {64, 64};
constexpr std::size_t kClasses = 2, kChannels = kClasses + static_cast<std::size_t>(kBoxOutputs);
constexpr std::size_t kPlaces = 8 * 8 + 4 * 4 + 2 * 2;

class Blank : public PixelSource {
 public:
  MapSize size() const override { return kPicture; }
  void read(float* pixels) const override { std::fill_n(pixels, 3 * kPicture.places(), 0.0f); }
};

// One box of 24 x 16 pixels around (28, 24), of the second class: six places of the finest map.
class ObjectDetectionTask : public testing::Test {
 protected:
  ObjectDetectionTask() {
    source_.text = "a.png";
    source_.boxes = {{.class_id = 1, .left = 0.25f, .top = 0.25f, .right = 0.625f, .bottom = 0.5f}};
    example_.source = &source_;
    example_.tokens.pixels = std::make_shared<Blank>();
  }

  static std::unique_ptr<Task> task(const Augmentation& augmentation = {}) {
    return find_task("object-detection").make({"cat", "dog"}, 0, {.augmentation = augmentation});
  }

  // Logits that find what the targets say, as surely as `strength` says.
  std::vector<float> right_logits(float strength) const {
    PlaceTargets targets = targets_of_places(source_.boxes, kPicture);
    std::vector<float> logits;
    for (std::size_t place = 0; place < targets.classes.size(); ++place) {
      for (int32_t c = 0; c < static_cast<int32_t>(kClasses); ++c)
        logits.push_back(targets.classes[place] == c ? strength : -strength);
      for (float side : targets.sides[place]) logits.push_back(std::log(side));
      double central = std::clamp<double>(targets.centreness[place], 1e-6, 1 - 1e-6);
      logits.push_back(static_cast<float>(std::log(central / (1 - central))));
    }
    return logits;
  }

  ModelOutput output(const std::vector<float>& logits) const {
    return {&example_, task_->kept(example_, logits)};
  }

  double loss_of(const std::vector<float>& logits) const {
    Context context(DType::kF32);
    context.tape.set_recording(false);
    context.begin_forward();
    RowSpace rows{.example_offsets = {0, static_cast<int64_t>(kPlaces)},
                  .chunk_offsets = {0, static_cast<int64_t>(kPlaces)},
                  .example_place = std::vector<int32_t>(kPlaces),
                  .token_position = std::vector<int32_t>(kPlaces)};
    std::vector<const EncodedExample*> examples{&example_};
    BatchTargets targets = task_->targets(examples);
    Tensor values =
        Tensor::of<float>({static_cast<int64_t>(kPlaces), static_cast<int64_t>(kChannels)}, logits);
    Variable losses = task_->loss(context, context.tape.constant(values, &rows), targets,
                                  task_->loss_weight(examples));
    double sum = 0;
    for (int64_t i = 0; i < losses.value().count(); ++i) sum += in(losses.value()).load<double>(i);
    return sum;
  }

  Example source_;
  EncodedExample example_;
  std::unique_ptr<Task> task_ = task();
};

TEST_F(ObjectDetectionTask, WeighsABatchByItsPlaces) {
  std::vector<const EncodedExample*> one{&example_}, two{&example_, &example_};
  EXPECT_EQ(task_->loss_weight(one), 6);
  EXPECT_EQ(task_->loss_weight(two), 12);
  source_.boxes.clear();
  EXPECT_EQ(task_->loss_weight(one), 1);
  EXPECT_EQ(task_->outputs(), static_cast<int64_t>(kChannels));
}

TEST_F(ObjectDetectionTask, WeightsOfBoxesAddUpToThePlaces) {
  std::vector<const EncodedExample*> one{&example_};
  BatchTargets targets = task_->targets(one);
  ASSERT_EQ(targets.classes.size(), kPlaces);
  double sum = 0;
  for (float weight : targets.weights) sum += weight;
  EXPECT_NEAR(sum, 6, 1e-5);
  EXPECT_EQ(targets.values.shape(), (Shape{static_cast<int64_t>(kPlaces), kBoxOutputs}));
  // The middle of the box counts more than its side: sqrt(1/3) against sqrt(1/5 * 1/3).
  EXPECT_NEAR(targets.weights[18] / targets.weights[19], std::sqrt(0.2), 1e-5);
}

// What is left of a right answer is the cross entropy of the centreness with itself.
TEST_F(ObjectDetectionTask, ARightAnswerLosesNothingButTheCentrenessAsItIs) {
  double entropy = 0;
  for (double centreness : targets_of_places(source_.boxes, kPicture).centreness) {
    if (centreness > 0) {
      entropy -= centreness * std::log(centreness);
      if (centreness < 1) entropy -= (1 - centreness) * std::log(1 - centreness);
    }
  }
  EXPECT_NEAR(loss_of(right_logits(30)), entropy / 6, 1e-4);
  std::vector<float> wrong = right_logits(30);
  for (std::size_t place = 0; place < kPlaces; ++place)
    std::swap(wrong[place * kChannels], wrong[place * kChannels + 1]);
  EXPECT_GT(loss_of(wrong), entropy / 6 + 10);
  std::vector<float> moved = right_logits(30);
  moved[18 * kChannels + kClasses] += 1;  // one left side too far
  EXPECT_GT(loss_of(moved), loss_of(right_logits(30)) + 1e-3);
}

TEST_F(ObjectDetectionTask, FindsWhatIsThere) {
  ModelOutput found = output(right_logits(10));
  Json prediction = task_->prediction(found);
  ASSERT_EQ(prediction.at("objects").size(), 1u);
  const Json& object = prediction.at("objects")[0];
  EXPECT_EQ(object.at("label"), "dog");
  EXPECT_GT(object.at("score").get<double>(), 0.7);
  std::vector<double> box{0.25, 0.25, 0.375, 0.25};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(object.at("box")[i].get<double>(), box[i], 1e-5);
  EXPECT_EQ(prediction.at("truth")[0].at("label"), "dog");

  std::vector<ModelOutput> outputs{found};
  Json metrics = task_->metrics(outputs);
  for (const char* figure : {"ap", "ap50", "ap75", "average_recall"})
    EXPECT_NEAR(metrics.at(figure).get<double>(), 1, 1e-9) << figure;
  Json details = task_->details(outputs);
  EXPECT_EQ(details.at("classes")[1].at("recall"), 1);
  EXPECT_EQ(details.at("pictures")[0].at("boxes")[0].at("kind"), "found");
}

TEST_F(ObjectDetectionTask, ShowsWhatIsMissedAndFalse) {
  ModelOutput right = output(right_logits(10));
  Example other = source_;
  other.boxes[0].class_id = 0;
  EncodedExample confused = example_;
  confused.source = &other;
  std::vector<ModelOutput> outputs{right, {&confused, right.values}};
  EXPECT_NEAR(task_->metrics(outputs).at("ap50").get<double>(), 0.5, 1e-9);
  Json pictures = task_->details(outputs).at("pictures");
  ASSERT_EQ(pictures.size(), 2u);
  EXPECT_EQ(pictures[0].at("output"), 1);
  EXPECT_EQ(pictures[0].at("caption"), "a.png");
  const Json& boxes = pictures[0].at("boxes");
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_EQ(boxes[0].at("kind"), "false");
  EXPECT_EQ(boxes[0].at("label"), "dog");
  EXPECT_EQ(boxes[1].at("kind"), "missed");
  EXPECT_TRUE(boxes[1].at("score").is_null());
}

TEST_F(ObjectDetectionTask, HasNoFiguresWithoutObjects) {
  source_.boxes.clear();
  std::vector<ModelOutput> outputs{output(std::vector<float>(kPlaces * kChannels, -9))};
  EXPECT_TRUE(task_->metrics(outputs).at("ap").is_null());
  EXPECT_TRUE(task_->prediction(outputs[0]).at("objects").empty());
  EXPECT_FALSE(task_->prediction(outputs[0]).contains("truth"));
}

TEST_F(ObjectDetectionTask, BoxesOfAMirroredPictureAreMirrored) {
  example_.mirrored = true;
  std::vector<const EncodedExample*> one{&example_};
  BatchTargets targets = task_->targets(one);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < targets.classes.size(); ++i) {
    if (targets.classes[i] == 1) places.push_back(i);
  }
  EXPECT_EQ(places, (std::vector<std::size_t>{19, 20, 21, 27, 28, 29}));
}

TEST_F(ObjectDetectionTask, MirrorsAboutAsOftenAsItIsTold) {
  EXPECT_FALSE(task_->posed(example_, {.kind = Occasion::Kind::kTraining}).has_value());
  std::unique_ptr<Task> flipping = task({.flip = 0.5});
  int mirrored = 0;
  for (int64_t epoch = 0; epoch < 100; ++epoch) {
    Occasion occasion{.kind = Occasion::Kind::kTraining, .epoch = epoch};
    std::optional<EncodedExample> posed = flipping->posed(example_, occasion);
    if (posed.has_value()) {
      EXPECT_TRUE(posed->mirrored);
      ++mirrored;
    }
    EXPECT_EQ(posed.has_value(), flipping->posed(example_, occasion).has_value());
  }
  EXPECT_GT(mirrored, 30);
  EXPECT_LT(mirrored, 70);
  EXPECT_FALSE(flipping->posed(example_, {.kind = Occasion::Kind::kEvaluation}).has_value());
}

TEST_F(ObjectDetectionTask, RefusesWhatMovesObjects) {
  try {
    task({.crop_scale = 0.5});
    FAIL() << "was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("crop_scale"), std::string::npos) << error.what();
  }
  EXPECT_THROW(task({.erasing = 0.5}), Error);
  EXPECT_THROW(task({.mixup = 0.5}), Error);
  EXPECT_NO_THROW(task({.flip = 0.5, .brightness = 0.2}));
}

}  // namespace
}  // namespace inlay
