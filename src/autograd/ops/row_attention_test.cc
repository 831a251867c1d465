#include "autograd/ops/row_attention.h"

#include <array>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(RowAttention, GradientsReachQueryKeysAndValues) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}, {channels}, {channels}, {channels}, {channels}},
                  .function = [](OpRun& run) {
                    std::array<Variable, 2> keys{run.x[1], run.x[2]}, values{run.x[3], run.x[4]};
                    return row_attention(run.context, run.x[0], keys, values).mixed;
                  }};
  });
}

TEST(RowAttention, WeightsOfEqualKeysAreEqual) {
  OpContext context(DType::kF32);
  RowSpace rows{.example_offsets = {0, 2}, .chunk_offsets = {0, 2}};
  Variable x = context.tape.constant(drawn_tensor("x", {2, 5}), &rows);
  Variable a = context.tape.constant(drawn_tensor("a", {2, 5}), &rows);
  Variable b = context.tape.constant(drawn_tensor("b", {2, 5}), &rows);
  std::array<Variable, 2> keys{a, a}, values{x, b};
  MixedRows result = row_attention(context, x, keys, values);
  for (int64_t i = 0; i < 4; ++i) EXPECT_EQ(result.weights.data<float>()[i], 0.5f);
  for (int64_t i = 0; i < 10; ++i) {
    float mean = 0.5f * (x.value().data<float>()[i] + b.value().data<float>()[i]);
    EXPECT_FLOAT_EQ(result.mixed.value().data<float>()[i], mean);
  }
}

}  // namespace
}  // namespace inlay
