#include "nn/detection_head.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/gradient_check.h"
#include "autograd/map_space.h"

namespace inlay {
namespace {

const HeadLayout kSmall{
    .input = HeadInput::kPyramid, .output = "predictor", .levels = {3, 5}, .width = 4};
constexpr int64_t kClasses = 2, kOutputs = kClasses + kBoxOutputs;
constexpr MapSize kFine = {4, 4}, kCoarse = {2, 2};

// Two examples with maps of two levels.
class DetectionHead : public testing::Test {
 protected:
  DetectionHead() : head_(kSmall, 0, kOutputs, 0.0, 1) {
    rows_ = {map_space(make_row_space({1, 1}), kFine), map_space(make_row_space({1, 1}), kCoarse)};
  }

  void convert(DType dtype) {
    for (Parameter& parameter : head_.parameters()) parameter.convert(dtype);
  }

  std::vector<Variable> levels(Context& context) {
    std::vector<Variable> levels;
    levels.reserve(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      Tensor map = drawn_tensor(i == 0 ? "fine" : "coarse", {rows_[i].rows(), kSmall.levels[i]},
                                context.dtype(Precision::kFull));
      levels.push_back(context.tape.input(std::move(map), &rows_[i]));
    }
    return levels;
  }

  // The outputs times drawn seeds.
  double contracted() {
    Context context(DType::kF64);
    context.tape.set_recording(false);
    context.begin_forward();
    Variable y = head_.pyramid_logits(context, levels(context));
    double sum = 0;
    for (int64_t i = 0; i < y.value().count(); ++i)
      sum += y.value().data<double>()[i] * draw("seed", static_cast<uint64_t>(i));
    return sum;
  }

  Head head_;
  std::vector<RowSpace> rows_;
};

TEST_F(DetectionHead, GivesThePlacesOfAllLevelsExampleByExample) {
  Context context(DType::kF32);
  context.tape.set_recording(false);
  context.begin_forward();
  Variable y = head_.pyramid_logits(context, levels(context));
  int64_t places = kFine.places() + kCoarse.places();
  ASSERT_EQ(y.shape(), (Shape{2 * places, kOutputs}));
  EXPECT_EQ(y.row_space()->example_offsets, (std::vector<int64_t>{0, places, 2 * places}));
  EXPECT_EQ(y.row_space()->chunk_offsets, y.row_space()->example_offsets);

  // An example alone has the same rows.
  RowSpace fine = map_space(make_row_space({1}), kFine);
  RowSpace coarse = map_space(make_row_space({1}), kCoarse);
  auto second = [](const Variable& both) {
    return both.value().rows(both.rows() / 2, both.rows());
  };
  Context other(DType::kF32);
  other.tape.set_recording(false);
  other.begin_forward();
  std::vector<Variable> both = levels(other);
  std::vector<Variable> alone{other.tape.constant(second(both[0]), &fine),
                              other.tape.constant(second(both[1]), &coarse)};
  Variable own = head_.pyramid_logits(other, alone);
  ASSERT_EQ(own.rows(), places);
  for (int64_t i = 0; i < own.value().count(); ++i)
    EXPECT_EQ(own.value().data<float>()[i], y.value().data<float>()[places * kOutputs + i]) << i;
}

TEST_F(DetectionHead, StartsFromRareClassesAndSidesOfOneStride) {
  Context context(DType::kF32);
  context.tape.set_recording(false);
  context.begin_forward();
  Variable y = head_.pyramid_logits(context, levels(context));
  double usual = -std::log(0.99 / 0.01);
  for (int64_t i = 0; i < y.value().count(); ++i) {
    double expected = i % kOutputs < kClasses ? usual : 0;
    EXPECT_NEAR(y.value().data<float>()[i], expected, 0.3) << i;
  }
}

// A factor of a level is that of its distances alone.
TEST_F(DetectionHead, ScalesTheSidesOfALevel) {
  auto logits = [&] {
    Context context(DType::kF32);
    context.tape.set_recording(false);
    context.begin_forward();
    return head_.pyramid_logits(context, levels(context)).value().to(DType::kF32);
  };
  Tensor before = logits();
  for (Parameter& parameter : head_.parameters()) {
    if (parameter.name() == "scale.1")
      parameter.set_value(Tensor::of<float>({1}, std::vector<float>{4}));
  }
  Tensor after = logits();
  int64_t places = kFine.places() + kCoarse.places();
  for (int64_t i = 0; i < before.count(); ++i) {
    int64_t channel = i % kOutputs;
    bool coarse = i / kOutputs % places >= kFine.places();
    bool side = channel >= kClasses && channel < kClasses + 4;
    float factor = coarse && side ? 4.0f : 1.0f;
    EXPECT_EQ(after.data<float>()[i], factor * before.data<float>()[i]) << i;
  }
}

TEST_F(DetectionHead, GradientsAreDerivatives) {
  constexpr double kStep = 0x1p-16;
  convert(DType::kF64);
  Context context(DType::kF64);
  context.begin_forward();
  std::vector<Variable> maps = levels(context);
  Variable y = head_.pyramid_logits(context, maps);
  Tensor seed = Tensor::empty(y.shape(), DType::kF64);
  for (int64_t i = 0; i < seed.count(); ++i)
    seed.mutable_data<double>()[i] = draw("seed", static_cast<uint64_t>(i));
  context.tape.backward(y, seed);
  for (const Variable& map : maps) EXPECT_TRUE(map.grad().defined());
  for (Parameter& parameter : head_.parameters()) {
    Tensor gradient = parameter.take_gradient();
    ASSERT_TRUE(gradient.defined()) << parameter.name();
    // A dozen elements of each tensor, spread over it.
    int64_t count = gradient.count(), skip = std::max<int64_t>(count / 12, 1);
    for (int64_t i = 0; i < count; i += skip) {
      double middle = parameter.value().data<double>()[i];
      auto moved = [&](double by) {
        parameter.mutable_value().mutable_data<double>()[i] = middle + by;
        parameter.changed();
        return contracted();
      };
      double slope = (moved(kStep) - moved(-kStep)) / (2 * kStep);
      moved(0);
      EXPECT_NEAR(gradient.data<double>()[i], slope, 1e-5 * (1 + std::fabs(slope)))
          << parameter.name() << "[" << i << "]";
    }
  }
}

TEST_F(DetectionHead, NamesMapsThatItWasNotMadeFor) {
  Context context(DType::kF32);
  context.tape.set_recording(false);
  context.begin_forward();
  std::vector<Variable> maps = levels(context);
  std::swap(maps[0], maps[1]);
  try {
    head_.pyramid_logits(context, maps);
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find("3 channels at level 0"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace inlay
