#include "adapters/map_rows.h"

#include "autograd/gradient_check.h"
#include "autograd/ops/conv.h"

namespace inlay {
namespace {

// Two images of 2 x 2 places: a class token before the map of the first, a class token and
// a virtual one before that of the second.
class MapRows : public testing::Test {
 protected:
  MapRows() : weight_("weight", filters()) {
    tokens_ = make_row_space({5, 6});
    tokens_.map = {2, 2};
    tokens_.before_map = 1;
    context_.begin_forward();
  }

  // 3 x 3 taps of 1, but for one of 3 in the middle and one of 0 to its right.
  static Tensor filters() {
    return Tensor::of<double>({1, 1, 3, 3}, std::vector<double>{1, 1, 1, 1, 3, 0, 1, 1, 1});
  }

  Variable input(const std::vector<double>& values, const RowSpace& space) {
    return context_.tape.input(tensor_of({space.rows(), 1}, DType::kF64, values.data()), &space);
  }

  Variable filtered(const Variable& x) {
    ConvShape shape{
        .in = 1, .out = 1, .kernel_height = 3, .kernel_width = 3, .padding = {1, 1, 1, 1}};
    return over_maps(context_, x, [&](const Variable& maps) {
      return conv(context_, maps, shape, {.weight = &weight_}, maps.row_space(), Precision::kFull);
    });
  }

  static std::vector<double> numbers(const Tensor& tensor) {
    return {tensor.data<double>(), tensor.data<double>() + tensor.count()};
  }

  Context context_{DType::kF64};
  Parameter weight_;
  RowSpace tokens_;
};

// A place of a map sees all four: their sum, twice its own, and less the one to its right.
TEST_F(MapRows, PlacesSeeTheirMapAndOtherTokensThemselvesAlone) {
  Variable x = input({7, 1, 2, 3, 4, 8, 9, 10, 20, 30, 40}, tokens_);
  Variable y = filtered(x);
  EXPECT_EQ(y.row_space(), &tokens_);
  EXPECT_EQ(numbers(y.value()), (std::vector<double>{21, 10, 14, 12, 18,  //
                                                     24, 27, 100, 140, 120, 180}));
}

TEST_F(MapRows, GradientsComeFromBothKindsOfTokens) {
  Variable x = input({7, 1, 2, 3, 4, 8, 9, 10, 20, 30, 40}, tokens_);
  Variable y = filtered(x);
  context_.tape.backward(y, tensor_of({11, 1}, DType::kF64, std::vector<double>(11, 1).data()));
  // A place on the right is what its left neighbour leaves out.
  EXPECT_EQ(numbers(x.grad()), (std::vector<double>{3, 6, 5, 6, 5, 3, 3, 6, 5, 6, 5}));
  // The middle tap reads every token, the one above it the upper line.
  Tensor gradient = weight_.take_gradient();
  EXPECT_EQ(gradient.data<double>()[4], 7 + 10 + 8 + 9 + 100);
  EXPECT_EQ(gradient.data<double>()[1], 1 + 2 + 10 + 20);
}

TEST_F(MapRows, MapsByThemselvesAreReadAsTheyAre) {
  RowSpace maps = make_row_space({4});
  maps.map = {2, 2};
  Variable y = filtered(input({1, 2, 3, 4}, maps));
  EXPECT_EQ(y.row_space(), &maps);
  EXPECT_EQ(numbers(y.value()), (std::vector<double>{10, 14, 12, 18}));
}

TEST_F(MapRows, RowsWithoutAMapAreRefused) {
  RowSpace texts = make_row_space({2});
  EXPECT_THROW(filtered(input({1, 2}, texts)), Error);
}

}  // namespace
}  // namespace inlay
