#include "autograd/ops/resize_map.h"

#include <utility>

#include "autograd/gradient_check.h"
#include "autograd/map_space.h"

namespace inlay {
namespace {

RowSpace one_example(int64_t before, MapSize map) {
  RowSpace space = make_row_space({before + map.places()});
  space.map = map;
  space.before_map = before;
  return space;
}

// Two rows before a map of 2 x 3, one channel.
std::vector<double> resized_example(MapSize to) {
  const std::vector<double> numbers = {-7, 9, 1, 5, 2, -3, 4, 8};
  OpContext context(DType::kF64);
  RowSpace rows = one_example(2, {2, 3}), places = one_example(2, to);
  Variable x = context.tape.constant(tensor_of({8, 1}, DType::kF64, numbers.data()), &rows);
  Variable y = resize_map(context, x, &places);
  const double* found = y.value().data<double>();
  return {found, found + y.value().count()};
}

void expect_numbers(const std::vector<double>& found, const std::vector<double>& expected) {
  expect_near({"resized", found}, expected, 1e-12);
}

TEST(ResizeMap, PassesGradientsOn) {
  constexpr std::pair<MapSize, MapSize> kSizes[] = {{{3, 4}, {2, 2}}, {{2, 3}, {4, 5}}};
  for (const auto& sizes : kSizes) {
    const MapSize from = sizes.first, to = sizes.second;
    expect_op_contract([=](int64_t channels) {
      OpCase op{.inputs = {{channels}}, .function = [=](OpRun& run) {
                  run.tokens.map = from;
                  RowSpace& places = run.kept_spaces.emplace_back(map_space(run.tokens, to));
                  return resize_map(run.context, run.x[0], &places);
                }};
      op.lengths.assign(8, from.places());
      op.difference_lengths.assign(3, from.places());
      return op;
    });
  }
}

// torch.nn.functional.interpolate(mode="bicubic", align_corners=False) in float64.
TEST(ResizeMap, GivesTheNumbersOfPyTorch) {
  expect_numbers(resized_example({2, 2}), {-7, 9, 2.01171875, 2.8203125, -1.5546875, 7.33984375});
  expect_numbers(resized_example({1, 4}),
                 {-7, 9, -1.394775390625, 2.463134765625, 5.284423828125, 5.035888671875});
  expect_numbers(resized_example({3, 2}),
                 {-7, 9, 2.3213026258680554, 2.4279920789930567, 0.228515625, 5.080078125,
                  -1.8642713758680567, 7.7321641710069455});
}

TEST(ResizeMap, LeavesAMapOfItsSizeAsItIs) {
  expect_numbers(resized_example({2, 3}), {-7, 9, 1, 5, 2, -3, 4, 8});
}

TEST(ResizeMap, TakesNoRowsThatAreNoMap) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({8}), places = one_example(0, {2, 2});
  Variable x = context.tape.constant(drawn_tensor("x", {8, 1}), &rows);
  EXPECT_THROW((void)resize_map(context, x, &places), Error);
}

}  // namespace
}  // namespace inlay
