#include "autograd/ops/margin_loss.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(MarginLoss, IsPaidUpToTheMarginAndNotBeyond) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({2, 2, 2}), triplets = make_row_space({1, 1, 1});
  std::vector<double> x{0.9, 0.1, 0.5, 0.25, 0.25, 0.5};
  Variable input = context.tape.input(tensor_of({6, 1}, DType::kF64, x.data()), &rows);
  Variable y = margin_loss(context, input, 0.5, 2, &triplets);
  std::vector<double> losses{0, 0.125, 0.375};
  for (std::size_t t = 0; t < 3; ++t) EXPECT_DOUBLE_EQ(y.value().data<double>()[t], losses[t]);
  std::vector<double> ones{1, 1, 1};
  context.tape.backward(y, tensor_of({3, 1}, DType::kF64, ones.data()));
  std::vector<double> slopes{0, 0, -0.5, 0.5, -0.5, 0.5};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(input.grad().data<double>()[i], slopes[i]);
}

}  // namespace
}  // namespace inlay
