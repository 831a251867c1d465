#include "autograd/ops/lerp.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Lerp, SplitsTheGradientByTheGate) {
  for (double gate : {0.5, 0.1, 1.5}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{
          .inputs = {{channels}, {channels, RowsOf::kTokens, Precision::kCompute}},
          .function = [=](OpRun& run) { return lerp(run.context, run.x[0], run.x[1], gate); }};
    });
  }
}

}  // namespace
}  // namespace inlay
