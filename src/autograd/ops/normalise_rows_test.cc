#include "autograd/ops/normalise_rows.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(NormaliseRows, KeepsTheOpContract) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                    .function = [](OpRun& run) { return normalise_rows(run.context, run.x[0]); }};
    });
  }
}

// (3, 4) has length 5; of the slope (1, 0) only what is across the row counts: (16, -12) / 25 / 5.
TEST(NormaliseRows, IsTheClosedForm) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({1});
  std::vector<double> x{3, 4}, seed{1, 0};
  Variable input = context.tape.input(tensor_of({1, 2}, DType::kF64, x.data()), &rows);
  Variable y = normalise_rows(context, input);
  EXPECT_DOUBLE_EQ(y.value().data<double>()[0], 0.6);
  EXPECT_DOUBLE_EQ(y.value().data<double>()[1], 0.8);
  context.tape.backward(y, tensor_of({1, 2}, DType::kF64, seed.data()));
  EXPECT_NEAR(input.grad().data<double>()[0], 0.128, 1e-15);
  EXPECT_NEAR(input.grad().data<double>()[1], -0.096, 1e-15);
}

TEST(NormaliseRows, LeavesARowOfZerosAsItIs) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({1});
  std::vector<double> x{0, 0}, seed{1, -2};
  Variable input = context.tape.input(tensor_of({1, 2}, DType::kF64, x.data()), &rows);
  Variable y = normalise_rows(context, input);
  EXPECT_EQ(y.value().data<double>()[0], 0);
  context.tape.backward(y, tensor_of({1, 2}, DType::kF64, seed.data()));
  EXPECT_DOUBLE_EQ(input.grad().data<double>()[1], -2 / kLeastLength);
}

}  // namespace
}  // namespace inlay
