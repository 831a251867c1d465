#include "autograd/ops/block_linear.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(BlockLinear, GradientsReachInputAndBlocks) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    for (int64_t blocks : {1, 2, 4}) {
      expect_op_contract([&](int64_t channels) {
        return OpCase{
            .inputs = {{channels, RowsOf::kTokens, precision}},
            .parameters = {{channels, channels / blocks}},
            .function = [](OpRun& run) { return block_linear(run.context, run.x[0], run.p[0]); }};
      });
    }
  }
}

TEST(BlockLinear, MultipliesRowVectorsFromTheLeft) {
  OpContext context(DType::kF32);
  context.forward = 1;
  RowSpace rows{.example_offsets = {0, 1}, .chunk_offsets = {0, 1}};
  float x[] = {1, 2, 3, 4}, r[] = {0, 1, 5, 0, 2, 0, 0, 3};
  Parameter blocks("r", Tensor::of<float>({4, 2}, r));
  Variable input = context.tape.constant(Tensor::of<float>({1, 4}, x), &rows);
  Tensor y = block_linear(context, input, blocks).value();
  float expected[] = {10, 1, 6, 12};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(y.data<float>()[i], expected[i]);
}

}  // namespace
}  // namespace inlay
