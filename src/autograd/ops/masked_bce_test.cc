#include "autograd/ops/masked_bce.h"

#include <cmath>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(MaskedBinaryCrossEntropy, KeepsTheContract) {
  // One logit a row, whatever the size that is asked for.
  expect_op_contract([](int64_t) {
    return OpCase{.inputs = {{1}}, .function = [](OpRun& run) {
                    Tensor targets = Tensor::empty({run.tokens.rows(), 1}, DType::kF32);
                    for (int64_t i = 0; i < targets.count(); ++i) {
                      auto row = static_cast<std::size_t>(i);
                      int32_t number =
                          run.tokens.example_place[row] * 3 + run.tokens.token_position[row];
                      targets.mutable_data<float>()[i] = static_cast<float>(number % 6 - 1) * 0.25f;
                    }
                    return masked_binary_cross_entropy(run.context, run.x[0], targets, 4);
                  }};
  });
}

TEST(MaskedBinaryCrossEntropy, GivesKnownNumbersAndLeavesRowsOut) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({3});
  const std::vector<double> numbers = {0, 2, -800};
  const Tensor targets = Tensor::of<float>({3, 1}, std::vector<float>{0.25f, -1, 1});
  Variable x = context.tape.input(tensor_of({3, 1}, DType::kF64, numbers.data()), &rows);
  Variable y = masked_binary_cross_entropy(context, x, targets, 2);
  EXPECT_DOUBLE_EQ(y.value().data<double>()[0], std::log(2.0) / 2);
  EXPECT_EQ(y.value().data<double>()[1], 0);
  EXPECT_EQ(y.value().data<double>()[2], 400);
  const std::vector<double> ones = {1, 1, 1};
  context.tape.backward(y, tensor_of({3, 1}, DType::kF64, ones.data()));
  EXPECT_EQ(x.grad().data<double>()[0], (0.5 - 0.25) / 2);
  EXPECT_EQ(x.grad().data<double>()[1], 0);
  EXPECT_EQ(x.grad().data<double>()[2], -0.5);
}

}  // namespace
}  // namespace inlay
