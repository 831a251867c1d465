// A detector on a frozen base learns the objects of two pictures by heart.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "base/source_dir.h"
#include "eval/batch_pass.h"
#include "train/optimizer.h"

namespace inlay {
namespace {

constexpr MapSize kPicture = {64, 64};

// A dark picture with a bright rectangle for each object, red for class 0 and blue for class 1.
class Rectangles : public PixelSource {
 public:
  explicit Rectangles(std::vector<ObjectBox> boxes) : boxes_(std::move(boxes)) {}
  MapSize size() const override { return kPicture; }
  void read(float* pixels) const override {
    for (int64_t i = 0; i < kPicture.places(); ++i) {
      std::array<float, 3> colour = {-1, -1, -1};
      float x = share(i % kPicture.width, kPicture.width);
      float y = share(i / kPicture.width, kPicture.height);
      for (const ObjectBox& box : boxes_) {
        bool inside = x > box.left && x < box.right && y > box.top && y < box.bottom;
        if (inside) colour.at(box.class_id == 0 ? 0 : 2) = 1;
      }
      std::copy(colour.begin(), colour.end(), pixels + 3 * i);
    }
  }

 private:
  static float share(int64_t pixel, int64_t size) {
    return (static_cast<float>(pixel) + 0.5f) / static_cast<float>(size);
  }

  std::vector<ObjectBox> boxes_;
};

class DetectionTraining : public testing::Test {
 protected:
  DetectionTraining() {
    sources_[0].boxes = {
        {.class_id = 0, .left = 0.125f, .top = 0.125f, .right = 0.5f, .bottom = 0.375f},
        {.class_id = 1, .left = 0.5f, .top = 0.5f, .right = 0.875f, .bottom = 0.875f}};
    sources_[1].boxes = {
        {.class_id = 1, .left = 0.25f, .top = 0.375f, .right = 0.625f, .bottom = 0.75f}};
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      examples_.at(i).source = &sources_.at(i);
      examples_.at(i).index = i;
      examples_.at(i).tokens.pixels = std::make_shared<Rectangles>(sources_.at(i).boxes);
      all_.push_back(&examples_.at(i));
    }
    learner_.model = load_model(source_dir() / "tests/golden/models/resnet-basic-image");
    set_task(learner_, find_task("object-detection"), {.classes = {"red", "blue"}});
    learner_.head = make_head(*learner_.model, *learner_.task, {.seed = 3});
  }

  // The losses of so many steps.
  std::vector<double> train(int steps) {
    Optimizer optimizer({}, {{learner_.parameters(), 2e-3}});
    Context context(DType::kF32);
    context.training = true;
    std::vector<double> losses;
    losses.reserve(static_cast<std::size_t>(steps));
    for (int step = 0; step < steps; ++step) {
      losses.push_back(pass_batch(context, learner_, all_, 0));
      optimizer.step(1, 1);
    }
    return losses;
  }

  Json figures() const {
    Context context(DType::kF32);
    return learner_.task->metrics(predict(context, learner_, all_));
  }

  std::array<Example, 2> sources_;
  std::array<EncodedExample, 2> examples_;
  std::vector<const EncodedExample*> all_;
  Learner learner_;
};

TEST_F(DetectionTraining, LearnsTwoPicturesByHeart) {
  std::vector<double> losses = train(150);
  EXPECT_LT(losses.back(), losses.front() / 2);
  Json found = figures();
  EXPECT_NEAR(found.at("ap50").get<double>(), 1, 1e-9);
  EXPECT_GT(found.at("ap").get<double>(), 0.6);
}

// In f32 neither the micro-batches nor the threads change a bit of a step.
TEST_F(DetectionTraining, StepsHaveTheBitsOfAnyMicroBatches) {
  auto gradients = [&](int64_t micro_batch) {
    Context context(DType::kF32);
    pass_batch(context, learner_, all_, micro_batch);
    std::vector<Tensor> taken;
    taken.reserve(learner_.parameters().size());
    for (Parameter* parameter : learner_.parameters())
      taken.push_back(parameter->take_gradient().clone());
    return taken;
  };
  std::vector<Tensor> whole = gradients(2), parts = gradients(1);
  ASSERT_EQ(whole.size(), parts.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto a = whole[i].bytes(), b = parts[i].bytes();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()))
        << learner_.parameters()[i]->name();
  }
}

TEST_F(DetectionTraining, AsksOneAdapterAtATime) {
  Context context(DType::kF32);
  context.tape.set_recording(false);
  TokenBatch batch = make_example_batch(all_, {});
  Variable hidden = learner_.model->encode(context, batch);
  EXPECT_THROW(logits_of_hidden(context, learner_, *learner_.model, hidden, batch), Error);
}

}  // namespace
}  // namespace inlay
