#include "nn/cosine_output.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(CosineOutput, KeepsTheOpContract) {
  expect_op_contract([](int64_t channels) {
    return OpCase{
        .inputs = {{channels}}, .parameters = {{5, channels}}, .function = [](OpRun& run) {
          return cosine_output(run.context, run.x[0], run.p[0]);
        }};
  });
}

TEST(CosineOutput, IsTheDirectionAndItsCosines) {
  OpContext context(DType::kF64);
  context.tape.set_recording(false);
  RowSpace rows = make_row_space({1});
  std::vector<double> x{3, 4}, w{0, 2, -6, -8, 1, 0};
  Parameter weight("classifier.weight", tensor_of({3, 2}, DType::kF64, w.data()));
  Variable features = context.tape.constant(tensor_of({1, 2}, DType::kF64, x.data()), &rows);
  Variable y = cosine_output(context, features, weight);
  ASSERT_EQ(y.shape(), (Shape{1, 5}));
  std::vector<double> expected{0.6, 0.8, 0.8, -1, 0.6};
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_NEAR(y.value().data<double>()[i], expected[i], 1e-15) << i;
}

}  // namespace
}  // namespace inlay
