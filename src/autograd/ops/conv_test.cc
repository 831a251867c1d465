#include "autograd/ops/conv.h"

#include "autograd/gradient_check.h"
#include "autograd/map_space.h"

namespace inlay {
namespace {

// What of a convolution is trained, the rest being frozen; frozen ones have a bias, too.
enum class Trained { kNothing, kWeight, kBias, kBoth };

bool trains_weight(Trained trained) {
  return trained == Trained::kWeight || trained == Trained::kBoth;
}
bool trains_bias(Trained trained) { return trained == Trained::kBias || trained == Trained::kBoth; }

std::shared_ptr<FrozenConv> frozen_conv(const ConvShape& shape, DType dtype = DType::kF32) {
  return std::make_shared<FrozenConv>(shape, drawn_tensor("weight", shape.weight_shape(), dtype),
                                      drawn_tensor("bias", {shape.out}));
}

struct Setting {
  MapSize map;
  Trained trained = Trained::kNothing;
  Precision precision = Precision::kFull;
  Precision input = Precision::kFull;
  bool alone = false;  // without frozen filters and their bias
};

// `frozen` stands where nothing is trained.
Variable run_conv(OpRun& run, const ConvShape& shape, const Setting& setting,
                  const FrozenConv& frozen) {
  run.tokens.map = setting.map;
  ConvWeights weights{.frozen = setting.alone ? nullptr : &frozen};
  for (Parameter& parameter : run.p)
    (parameter.shape().rank() == 4 ? weights.weight : weights.bias) = &parameter;
  const RowSpace& places =
      run.kept_spaces.emplace_back(map_space(run.tokens, shape.output(setting.map)));
  return conv(run.context, run.x[0], shape, weights, &places, setting.precision);
}

OpCase conv_case(const ConvShape& shape, const Setting& setting) {
  auto frozen = frozen_conv(shape);
  OpCase op{.inputs = {{shape.in, RowsOf::kTokens, setting.input}},
            .function = [=](OpRun& run) { return run_conv(run, shape, setting, *frozen); }};
  if (trains_weight(setting.trained)) op.parameters.push_back(shape.weight_shape());
  if (trains_bias(setting.trained)) op.parameters.push_back({shape.out});
  op.lengths.assign(8, setting.map.places());
  op.difference_lengths.assign(3, setting.map.places());
  return op;
}

using ShapeOfSize = std::function<ConvShape(int64_t channels)>;

void expect_contract(const ShapeOfSize& shape, const Setting& setting) {
  expect_op_contract([&](int64_t channels) { return conv_case(shape(channels), setting); });
}

ConvShape square(int64_t channels, int64_t kernel, int64_t stride, int64_t padding) {
  return {.in = channels,
          .out = channels + 2,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = stride,
          .stride_width = stride,
          .padding = {padding, padding, padding, padding}};
}

ConvShape depthwise(int64_t channels, int64_t kernel, int64_t stride, int64_t padding) {
  ConvShape shape = square(channels, kernel, stride, padding);
  shape.out = shape.groups = channels;
  return shape;
}

TEST(Conv, PassesGradientsThroughFrozenFilters) {
  expect_contract([](int64_t c) { return square(c, 3, 1, 1); }, {{5, 4}});
}

TEST(Conv, TrainsFiltersAndABias) {
  expect_contract([](int64_t c) { return square(c, 3, 1, 1); }, {{4, 3}, Trained::kBoth});
}

TEST(Conv, TrainsABiasOverFrozenFilters) {
  expect_contract([](int64_t c) { return square(c, 3, 2, 1); }, {{5, 4}, Trained::kBias});
}

TEST(Conv, TakesEverySecondPlaceAndStoresInTheComputeType) {
  expect_contract([](int64_t c) { return square(c, 3, 2, 1); },
                  {{5, 6}, Trained::kWeight, Precision::kCompute, Precision::kCompute});
}

TEST(Conv, ReachesFurtherWithADilation) {
  auto dilated = [](int64_t c) {
    ConvShape shape = square(c, 3, 1, 2);
    shape.dilation_height = 2;
    shape.dilation_width = 2;
    return shape;
  };
  expect_contract(dilated, {{5, 4}, Trained::kWeight});
}

TEST(Conv, WorksInGroups) {
  auto grouped = [](int64_t c) {
    ConvShape shape = square(c, 3, 1, 1);
    shape.groups = 2;
    return shape;
  };
  expect_contract(grouped, {{4, 3}, Trained::kBoth});
  expect_contract(grouped, {{4, 3}, Trained::kNothing, Precision::kCompute});
}

TEST(Conv, OfOnePlaceIsALinearLayer) {
  expect_contract([](int64_t c) { return square(c, 1, 1, 0); }, {{4, 5}});
  expect_contract([](int64_t c) { return square(c, 1, 1, 0); }, {{4, 5}, Trained::kBoth});
}

TEST(Conv, OfOnePlaceCanSkipPlaces) {
  expect_contract([](int64_t c) { return square(c, 1, 2, 0); }, {{5, 5}, Trained::kWeight});
}

TEST(Conv, TakesWideFilters) {
  expect_contract([](int64_t c) { return square(c, 7, 2, 3); }, {{6, 5}});
}

TEST(Conv, TakesPatchesSideBySide) {
  expect_contract([](int64_t c) { return square(c, 2, 2, 0); }, {{6, 4}, Trained::kBoth});
}

TEST(Conv, PadsAsTensorFlowDoes) {
  auto same = [](int64_t c) {
    ConvShape shape = square(c, 3, 2, 0);
    shape.padding = same_padding(shape, {6, 5});
    return shape;
  };
  expect_contract(same, {{6, 5}, Trained::kWeight});
}

TEST(Conv, FiltersEachChannelByItself) {
  expect_contract([](int64_t c) { return depthwise(c, 3, 1, 1); }, {{5, 4}});
  expect_contract([](int64_t c) { return depthwise(c, 3, 2, 1); },
                  {{5, 4}, Trained::kBoth, Precision::kCompute, Precision::kCompute});
}

TEST(Conv, FiltersEachChannelByItselfAndAddsNeighbours) {
  auto pairs = [](int64_t c) {
    ConvShape shape = depthwise(c, 3, 2, 1);
    shape.out = shape.groups = c / 2;
    return shape;
  };
  expect_contract(pairs, {{5, 4}});
  expect_contract(pairs, {{5, 4}, Trained::kBoth});
  expect_contract(pairs, {{5, 4}, Trained::kWeight, Precision::kCompute, Precision::kCompute});
}

// To a quarter of the channels, without patches.
TEST(Conv, NarrowsByPlaces) {
  for (int64_t kernel : {1, 3}) {
    for (int64_t stride : {1, 2}) {
      auto narrowing = [=](int64_t c) {
        ConvShape shape = square(c, kernel, stride, kernel / 2);
        shape.out = std::max<int64_t>(c / 4, 1);
        return shape;
      };
      expect_contract(narrowing, {.map = {5, 4}, .trained = Trained::kWeight, .alone = true});
    }
  }
}

// By the definition: out = bias + sum over taps and channels, one number after another.
double expected_output(const ConvShape& s, MapSize map, const Tensor& x, const Tensor& weight,
                       const Tensor& bias, int64_t i) {
  MapSize size = s.output(map);
  int64_t o = i % s.out, place = i / s.out % size.places(), example = i / s.out / size.places();
  int64_t own = s.in / s.groups, first = o / (s.out / s.groups) * own;
  double sum = in(bias).load<double>(o);
  for (int64_t c = 0; c < own; ++c) {
    for (int64_t ky = 0; ky < s.kernel_height; ++ky) {
      for (int64_t kx = 0; kx < s.kernel_width; ++kx) {
        int64_t y = place / size.width * s.stride_height + ky * s.dilation_height - s.padding.top;
        int64_t z = place % size.width * s.stride_width + kx * s.dilation_width - s.padding.left;
        if (y < 0 || y >= map.height || z < 0 || z >= map.width) continue;
        int64_t row = (example * map.height + y) * map.width + z;
        int64_t tap = (o * own + c) * s.kernel_height * s.kernel_width + ky * s.kernel_width + kx;
        sum += in(x).load<double>(row * s.in + first + c) * in(weight).load<double>(tap);
      }
    }
  }
  return sum;
}

void expect_definition(const ConvShape& shape, MapSize map, int64_t examples, DType compute) {
  auto frozen = frozen_conv(shape, compute == DType::kBF16 ? DType::kBF16 : DType::kF32);
  OpContext context(compute);
  std::vector<int64_t> lengths(static_cast<std::size_t>(examples), map.places());
  RowSpace rows = make_row_space(lengths);
  rows.map = map;
  RowSpace places = map_space(rows, shape.output(map));
  Tensor numbers = drawn_tensor("x", {rows.rows(), shape.in}, context.dtype(Precision::kFull));
  Variable x = context.tape.constant(numbers, &rows);
  Variable y = conv(context, x, shape, {.frozen = frozen.get()}, &places, Precision::kFull);
  ASSERT_EQ(y.shape(), (Shape{places.rows(), shape.out}));
  double terms = static_cast<double>(shape.weight_shape().count() / shape.out);
  for (int64_t i = 0; i < y.value().count(); ++i) {
    double expected = expected_output(shape, map, numbers, frozen->weight(), frozen->bias(), i);
    ASSERT_NEAR(in(y.value()).load<double>(i), expected, 2e-6 * (terms + 8)) << i;
  }
}

TEST(Conv, GivesWhatItsDefinitionGives) {
  const ConvShape shapes[] = {
      square(3, 1, 1, 0),
      square(3, 3, 1, 1),
      square(4, 3, 2, 1),
      depthwise(5, 3, 2, 1),
      // a stem of 7 x 7, and one where every direction and side differs
      {.in = 3,
       .out = 8,
       .kernel_height = 7,
       .kernel_width = 7,
       .stride_height = 2,
       .stride_width = 2,
       .padding = {3, 3, 3, 3}},
      {.in = 6,
       .out = 9,
       .kernel_height = 2,
       .kernel_width = 3,
       .stride_height = 1,
       .stride_width = 2,
       .dilation_height = 3,
       .dilation_width = 1,
       .groups = 3,
       .padding = {0, 2, 3, 1}},
      // a channel for each three
      {.in = 6,
       .out = 2,
       .kernel_height = 3,
       .kernel_width = 3,
       .stride_height = 2,
       .groups = 2,
       .padding = {1, 1, 1, 1}},
      // two filters for each channel: no depthwise kernel
      {.in = 4,
       .out = 8,
       .kernel_height = 3,
       .kernel_width = 3,
       .groups = 4,
       .padding = {1, 1, 1, 1}},
      // without the first line and the last column
      {.in = 3, .out = 4, .stride_height = 2, .stride_width = 2, .padding = {-1, 0, 1, -1}},
  };
  for (const ConvShape& shape : shapes) {
    for (DType compute : {DType::kF32, DType::kBF16, DType::kF64})
      expect_definition(shape, {9, 8}, 3, compute);
  }
}

// Patches of more than 8 MiB, which are made and multiplied in parts.
TEST(Conv, GoesOnWhereAPartOfTheRowsEnds) {
  expect_definition(
      {.in = 64, .out = 2, .kernel_height = 7, .kernel_width = 7, .padding = {3, 3, 3, 3}},
      {29, 27}, 1, DType::kF32);
}

TEST(Conv, CountsWhatAProductNeeds) {
  OpCase op = conv_case(square(4, 3, 2, 1), {{5, 6}, Trained::kBoth});
  double flops = 0;
  OpCase counted = op;
  counted.function = [&](OpRun& run) {
    Variable y = op.function(run);
    flops = run.context.useful_flops;
    return y;
  };
  OpTrial(counted, counted.lengths).run(DType::kF32, {8});
  EXPECT_EQ(flops, 2.0 * 8 * 9 * (9 * 4) * 6);  // 3 x 3 places of 8 examples
}

TEST(ConvShape, KnowsTheMapThatComesOfOne) {
  EXPECT_EQ(square(3, 7, 2, 3).output({224, 224}), (MapSize{112, 112}));
  EXPECT_EQ(square(3, 3, 1, 1).output({5, 9}), (MapSize{5, 9}));
  ConvShape dilated{.in = 1, .out = 1, .kernel_height = 3, .kernel_width = 1, .dilation_height = 4};
  EXPECT_EQ(dilated.output({9, 2}), (MapSize{1, 2}));
}

TEST(ConvShape, PadsTheLargerHalfAtTheEnd) {
  ConvShape shape = square(3, 3, 2, 0);
  EXPECT_EQ(same_padding(shape, {224, 224}), (Padding{0, 0, 1, 1}));
  EXPECT_EQ(same_padding(shape, {225, 8}), (Padding{1, 0, 1, 1}));
  EXPECT_EQ(same_padding(square(3, 7, 1, 0), {5, 5}), (Padding{3, 3, 3, 3}));
  EXPECT_EQ(same_padding(square(3, 1, 2, 0), {5, 4}), (Padding{}));
}

template <class Run>
void expect_refusal(const Run& run, const std::string& words) {
  try {
    run();
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(ConvShape, RefusesAMapThatIsSmallerThanTheKernel) {
  expect_refusal(
      [] {
        (void)square(3, 7, 1, 1).output({4, 9});
      },
      "a map of 6 x 11 with its padding (height x width) is smaller than a kernel that "
      "reaches over 7 x 7");
}

TEST(ConvShape, RefusesNumbersThatNoConvolutionHas) {
  expect_refusal([] { (void)square(3, 3, 0, 1).output({8, 8}); }, "is 0, expected 1 to");
  expect_refusal(
      [] {
        (void)square(3, 3, 1, -40000).output({8, 8});
      },
      "padding of a convolution is -40000");
  ConvShape odd{.in = 4, .out = 6, .groups = 4};
  expect_refusal([&] { (void)odd.output({8, 8}); }, "from 4 to 6 channels in 4 groups");
}

TEST(ConvShape, LessPaddingThanNoneLeavesPlacesOut) {
  EXPECT_EQ(square(3, 1, 1, -1).output({8, 7}), (MapSize{6, 5}));
}

TEST(FrozenConv, RefusesAWeightOrABiasOfAnotherShape) {
  ConvShape shape = square(4, 3, 1, 1);
  expect_refusal(
      [&] {
        FrozenConv(shape, drawn_tensor("weight", {6, 4, 3, 1}), Tensor());
      },
      "is (6, 4, 3, 1), expected (6, 4, 3, 3)");
  expect_refusal(
      [&] {
        FrozenConv(shape, drawn_tensor("weight", shape.weight_shape()), drawn_tensor("b", {4}));
      },
      "is (4), expected (6)");
}

}  // namespace
}  // namespace inlay
