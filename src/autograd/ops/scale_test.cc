#include "autograd/ops/scale.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Scale, MultipliesByAConstant) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}},
                  .function = [](OpRun& run) { return scale(run.context, run.x[0], -1.7); }};
  });
}

TEST(Scale, TrainsItsFactor) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                    .parameters = {{1}},
                    .function = [](OpRun& run) { return scale(run.context, run.x[0], run.p[0]); }};
    });
  }
}

}  // namespace
}  // namespace inlay
