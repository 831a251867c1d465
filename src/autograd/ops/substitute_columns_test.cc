#include "autograd/ops/substitute_columns.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(SubstituteColumns, GivesOtherColumnsAndTheirBias) {
  RowNumbers numbers({3, 0});
  expect_op_contract([&](int64_t channels) {
    return OpCase{
        .inputs = {{channels}, {2}}, .parameters = {{channels}}, .function = [&](OpRun& run) {
          return substitute_columns(run.context, run.x[0], run.x[1], numbers,
                                    {.trained = &run.p[0]});
        }};
  });
}

TEST(SubstituteColumns, AddsAFrozenBias) {
  OpContext context(DType::kF32);
  RowSpace rows = make_row_space({1});
  auto of = [&](std::vector<float> values) {
    return Tensor::of<float>({1, static_cast<int64_t>(values.size())}, values);
  };
  Variable y = context.tape.constant(of({1, 2, 3}), &rows);
  Variable z = context.tape.constant(of({10}), &rows);
  Tensor bias = of({0.5f, 0.25f, 0.125f}).reshaped({3});
  Tensor result = substitute_columns(context, y, z, RowNumbers({1}), {.frozen = bias}).value();
  EXPECT_EQ(result.data<float>()[0], 1.0f);
  EXPECT_EQ(result.data<float>()[1], 10.25f);
  EXPECT_EQ(result.data<float>()[2], 3.0f);
}

}  // namespace
}  // namespace inlay
