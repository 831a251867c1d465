#include "autograd/ops/divide_by_lengths.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(DivideByLengths, KeepsTheOpContract) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{6}}, .parameters = {{6, channels}}, .function = [](OpRun& run) {
                    return divide_by_lengths(run.context, run.x[0], run.p[0]);
                  }};
  });
}

TEST(DivideByLengths, DividesEachColumnByTheLengthOfItsRow) {
  OpContext context(DType::kF64);
  context.tape.set_recording(false);
  RowSpace rows = make_row_space({2});
  std::vector<double> w{3, 4, 0, 0.5}, x{10, 1, -5, 2};
  Parameter weight("weight", tensor_of({2, 2}, DType::kF64, w.data()));
  Variable input = context.tape.constant(tensor_of({2, 2}, DType::kF64, x.data()), &rows);
  Tensor y = divide_by_lengths(context, input, weight).value();
  std::vector<double> expected{2, 2, -1, 4};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(y.data<double>()[i], expected[i]);
}

}  // namespace
}  // namespace inlay
