#include "autograd/ops/map_pooling.h"

#include "autograd/gradient_check.h"
#include "autograd/map_space.h"
#include "autograd/ops/add.h"

namespace inlay {
namespace {

using Pool = std::function<Variable(OpRun&, const RowSpace*)>;

void expect_contract(const MapPooling& pooling, MapSize map, const Pool& pool) {
  expect_op_contract([&](int64_t channels) {
    OpCase op{.inputs = {{channels}}, .function = [=](OpRun& run) {
                run.tokens.map = map;
                return pool(
                    run, &run.kept_spaces.emplace_back(map_space(run.tokens, pooling.output(map))));
              }};
    op.lengths.assign(8, map.places());
    op.difference_lengths.assign(3, map.places());
    return op;
  });
}

// Drawn numbers can be equal, where the largest has no derivative. With a share of an irrational
// number for each place added to them, no two are within the step of a difference.
Variable without_ties(OpRun& run) {
  Tensor shares = Tensor::empty(run.x[0].shape(), run.x[0].dtype());
  for (int64_t i = 0; i < shares.count(); ++i) {
    auto row = static_cast<std::size_t>(i / run.x[0].channels());
    out(shares).store(i, 0x1p-10 / 3.14159265 * run.tokens.token_position[row]);
  }
  return add(run.context, run.x[0], run.context.tape.constant(std::move(shares), &run.tokens));
}

TEST(MapPooling, GivesTheLargestOfAWindow) {
  for (const MapPooling& pooling :
       {MapPooling{.kernel = 3, .stride = 2, .padding = 1}, MapPooling{.kernel = 2, .stride = 2}}) {
    expect_contract(pooling, {5, 4}, [=](OpRun& run, const RowSpace* places) {
      return max_pool(run.context, without_ties(run), pooling, places);
    });
  }
}

TEST(MapPooling, GivesTheMeanOfAWindow) {
  const MapPooling pooling{.kernel = 3, .stride = 2, .padding = 1};
  for (PoolDivisor divisor : {PoolDivisor::kWindow, PoolDivisor::kPlaces}) {
    expect_contract(pooling, {5, 6}, [=](OpRun& run, const RowSpace* places) {
      return average_pool(run.context, run.x[0], pooling, divisor, places);
    });
  }
}

TEST(MapPooling, GivesKnownNumbers) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({6});
  rows.map = {2, 3};
  const MapPooling pooling{.kernel = 2};
  RowSpace places = map_space(rows, pooling.output(rows.map));
  const std::vector<double> numbers = {1, 5, 2, -3, 4, 8};
  Variable x = context.tape.constant(tensor_of({6, 1}, DType::kF32, numbers.data()), &rows);
  Variable largest = max_pool(context, x, pooling, &places);
  Variable mean = average_pool(context, x, pooling, PoolDivisor::kWindow, &places);
  ASSERT_EQ(largest.shape(), (Shape{2, 1}));
  EXPECT_EQ(largest.value().data<float>()[0], 5);
  EXPECT_EQ(largest.value().data<float>()[1], 8);
  EXPECT_EQ(mean.value().data<float>()[0], 1.75f);
  EXPECT_EQ(mean.value().data<float>()[1], 4.75f);
}

TEST(MapPooling, KnowsTheMapThatComesOfOne) {
  const MapPooling stem{.kernel = 3, .stride = 2, .padding = 1};
  EXPECT_EQ(stem.output({112, 112}), (MapSize{56, 56}));
  EXPECT_EQ(stem.output({7, 4}), (MapSize{4, 2}));
}

TEST(MapPooling, RefusesAWindowThatCouldSeeNothing) {
  const MapPooling wide{.kernel = 2, .stride = 1, .padding = 2};
  EXPECT_THROW((void)wide.output({8, 8}), Error);
  const MapPooling large{.kernel = 9};
  EXPECT_THROW((void)large.output({8, 8}), Error);
}

}  // namespace
}  // namespace inlay
