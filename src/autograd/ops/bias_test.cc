#include "autograd/ops/bias.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(AddBias, TrainsTheBias) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{
          .inputs = {{channels, RowsOf::kTokens, precision}},
          .parameters = {{channels}},
          .function = [](OpRun& run) { return add_bias(run.context, run.x[0], run.p[0], 0.5); }};
    });
  }
}

}  // namespace
}  // namespace inlay
