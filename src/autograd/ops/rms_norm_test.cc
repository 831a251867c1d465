#include "autograd/ops/rms_norm.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(RmsNorm, NormalisesWithAFrozenWeight) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}}, .function = [=](OpRun& run) {
                    return rms_norm(run.context, run.x[0],
                                    {.weight = drawn_tensor("weight", {channels})});
                  }};
  });
}

TEST(RmsNorm, TrainsItsWeight) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels, RowsOf::kTokens, Precision::kCompute}},
                  .parameters = {{channels}},
                  .function = [](OpRun& run) {
                    return rms_norm(run.context, run.x[0], {.trained_weight = &run.p[0]});
                  }};
  });
}

}  // namespace
}  // namespace inlay
