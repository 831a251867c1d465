// The tasks on pictures: targets and figures from a few logits that are computed by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eval/task.h"
#include "nn/context.h"

namespace inlay {
namespace {

class Outputs {
 public:
  void add(Example source, std::vector<float> logits) {
    EncodedExample& example = examples_.emplace_back();
    example.source = &sources_.emplace_back(std::move(source));
    all_.push_back({&example, std::move(logits)});
  }
  std::span<const ModelOutput> all() const { return all_; }

 private:
  std::deque<Example> sources_;
  std::deque<EncodedExample> examples_;
  std::vector<ModelOutput> all_;
};

std::vector<float> numbers_of(const Tensor& tensor) {
  return {tensor.data<float>(), tensor.data<float>() + tensor.count()};
}

// Label 0 is right for all; the second picture's label 1 is missed; label 2 is nowhere, and wrongly
// found once. A probability of a half is no label.
Outputs labelled_pictures() {
  Outputs outputs;
  outputs.add({.class_ids = {0}}, {2, -1, -3});
  outputs.add({.class_ids = {0, 1}}, {1, -2, -3});
  outputs.add({.class_ids = {}}, {-1, -3, 1});
  outputs.add({.class_ids = {1}}, {0, 3, -3});
  return outputs;
}

std::unique_ptr<Task> of_labels(const TaskOptions& options = {}) {
  return find_task("multi-label-image-classification").make({"0", "1", "2"}, 0, options);
}

TEST(MultiLabelImageClassification, IsJudgedAsMedMnistJudgesIt) {
  Outputs outputs = labelled_pictures();
  Json metrics = of_labels()->metrics(outputs.all());
  EXPECT_NEAR(metrics.at("roc_auc").get<double>(), (1 + 0.75) / 2, 1e-12);
  EXPECT_NEAR(metrics.at("label_accuracy").get<double>(), 10.0 / 12, 1e-12);
  EXPECT_NEAR(metrics.at("accuracy").get<double>(), 0.5, 1e-12);
  EXPECT_NEAR(metrics.at("micro_f1").get<double>(), 6.0 / 8, 1e-12);
  EXPECT_NEAR(metrics.at("macro_f1").get<double>(), (1 + 2.0 / 3 + 0) / 3, 1e-12);
  const TaskInfo& info = find_task("multi-label-image-classification");
  EXPECT_EQ(info.choosing_metrics.front(), "roc_auc");
  EXPECT_EQ(info.problem_type, "multi_label_classification");
}

TEST(MultiLabelImageClassification, ShowsEveryLabelAndTheSurestMistakesFirst) {
  Outputs outputs = labelled_pictures();
  Json details = of_labels()->details(outputs.all());
  const Json& classes = details.at("classes");
  EXPECT_NEAR(classes.at(0).at("roc_auc").get<double>(), 1, 1e-12);
  EXPECT_NEAR(classes.at(1).at("roc_auc").get<double>(), 0.75, 1e-12);
  EXPECT_TRUE(classes.at(2).at("roc_auc").is_null());
  const Json& mistakes = details.at("mistakes");
  ASSERT_EQ(mistakes.size(), 2u);
  EXPECT_EQ(mistakes[0].at("output"), 1);
  EXPECT_EQ(mistakes[0].at("truth"), "0, 1");
  EXPECT_EQ(mistakes[0].at("prediction"), "0");
  EXPECT_NEAR(mistakes[0].at("probability").get<double>(), 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_EQ(mistakes[1].at("output"), 2);
  EXPECT_EQ(mistakes[1].at("truth"), "none");
}

TEST(MultiLabelImageClassification, PredictsLabelsThatAreLikelierThanNot) {
  Outputs outputs = labelled_pictures();
  Json prediction = of_labels()->prediction(outputs.all()[3]);
  EXPECT_EQ(prediction.at("labels"), Json::array({"1"}));
  EXPECT_EQ(prediction.at("truth"), Json::array({"1"}));
  EXPECT_NEAR(prediction.at("probabilities").at("0").get<double>(), 0.5, 1e-6);
}

TEST(MultiLabelImageClassification, MixesTheLabelsOfBothPictures) {
  Example own{.class_ids = {0, 1}}, partner{.class_ids = {1}};
  EncodedExample plain, mixed;
  plain.source = mixed.source = &own;
  mixed.mix = Mix{&partner, 0.75f};
  std::vector<const EncodedExample*> batch{&plain, &mixed};
  BatchTargets targets = of_labels({.augmentation = {.mixup = 1}})->targets(batch);
  EXPECT_EQ(numbers_of(targets.values), (std::vector<float>{1, 1, 0, 0.75f, 1, 0}));
}

// p = (1/4, 3/4).
TEST(ImageClassification, LearnsTheClassesOfMixedPicturesByTheirShares) {
  std::unique_ptr<Task> task =
      find_task("image-classification").make({"a", "b"}, 0, {.augmentation = {.cutmix = 1}});
  Example own{.class_id = 0}, partner{.class_id = 1};
  EncodedExample mixed, plain;
  mixed.source = plain.source = &own;
  mixed.mix = Mix{&partner, 0.25f};
  std::vector<const EncodedExample*> batch{&mixed, &plain};
  BatchTargets targets = task->targets(batch);
  EXPECT_EQ(numbers_of(targets.values), (std::vector<float>{0.25f, 0.75f, 1, 0}));
  EXPECT_EQ(task->loss_weight(batch), 2);

  Context context(DType::kF32);
  RowSpace rows = rows_alone(2);
  std::vector<float> logits{0, std::log(3.0f), 0, std::log(3.0f)};
  Variable x = context.tape.constant(Tensor::of<float>({2, 2}, logits), &rows);
  std::vector<float> losses = numbers_of(task->loss(context, x, targets, 2).value());
  ASSERT_EQ(losses.size(), 2u);
  EXPECT_NEAR(losses[0], (0.25 * std::log(4.0) + 0.75 * std::log(4.0 / 3)) / 2, 1e-6);
  EXPECT_NEAR(losses[1], std::log(4.0) / 2, 1e-6);
}

TEST(ImageClassification, LearnsOneClassWhereNothingIsMixed) {
  std::unique_ptr<Task> task = find_task("image-classification").make({"a", "b"}, 0, {});
  Example own{.class_id = 1};
  EncodedExample plain;
  plain.source = &own;
  std::vector<const EncodedExample*> batch{&plain};
  BatchTargets targets = task->targets(batch);
  EXPECT_EQ(targets.classes, std::vector<int32_t>{1});
  EXPECT_FALSE(targets.values.defined());
}

// Errors of 0, 0, 1 in the first output and of 2 in the second.
TEST(ImageRegression, JudgesAllNumbersTogetherAndEachOutputByItself) {
  Outputs outputs;
  outputs.add({.values = {1, 10}}, {1, 12});
  outputs.add({.values = {2, 20}}, {2, 22});
  outputs.add({.values = {3, 30}}, {4, 32});
  std::unique_ptr<Task> task = find_task("image-regression").make({}, 2, {});
  EXPECT_EQ(task->outputs(), 2);
  Json metrics = task->metrics(outputs.all());
  EXPECT_NEAR(metrics.at("mse").get<double>(), 13.0 / 6, 1e-12);
  EXPECT_NEAR(metrics.at("negative_mse").get<double>(), -13.0 / 6, 1e-12);
  EXPECT_NEAR(metrics.at("mae").get<double>(), 7.0 / 6, 1e-12);
  EXPECT_NEAR(metrics.at("mse_of_1").get<double>(), 1.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("mae_of_1").get<double>(), 1.0 / 3, 1e-12);
  EXPECT_NEAR(metrics.at("mse_of_2").get<double>(), 4, 1e-12);
  EXPECT_NEAR(metrics.at("pearson_of_2").get<double>(), 1, 1e-12);
  EXPECT_EQ(task->details(outputs.all()).at("scatter").at("points").size(), 6u);
  EXPECT_EQ(task->prediction(outputs.all()[0]).at("truth"), Json::array({1.0f, 10.0f}));
}

TEST(ImageRegression, HasNoFiguresOfAnOnlyOutputTwice) {
  Outputs outputs;
  outputs.add({.values = {1}}, {1});
  outputs.add({.values = {2}}, {3});
  Json metrics = find_task("image-regression").make({}, 1, {})->metrics(outputs.all());
  EXPECT_NEAR(metrics.at("mae").get<double>(), 0.5, 1e-12);
  EXPECT_FALSE(metrics.contains("mae_of_1"));
}

TEST(Mixing, IsRefusedWhereTargetsCannotBeMixed) {
  auto expect_refused = [](const char* task, const TaskOptions& options, const std::string& part) {
    try {
      find_task(task).make({"a", "b"}, 2, options);
      ADD_FAILURE() << task << ": no error; expected one with: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_refused("image-regression", {.augmentation = {.mixup = 0.2}},
                 "image-regression has none to mix");
  const std::string spread = "label_smoothing and class_weights are not defined for";
  expect_refused("image-classification", {.label_smoothing = 0.1, .augmentation = {.cutmix = 1}},
                 spread);
  expect_refused("image-classification", {.class_weights = {1, 2}, .augmentation = {.mixup = 0.2}},
                 spread);
}

}  // namespace
}  // namespace inlay
