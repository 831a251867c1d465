#include "autograd/ops/scale_channels.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(ScaleChannels, TrainsAFactorPerChannel) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{
          .inputs = {{channels, RowsOf::kTokens, precision}},
          .parameters = {{channels, 1}},
          .function = [](OpRun& run) { return scale_channels(run.context, run.x[0], run.p[0]); }};
    });
  }
}

}  // namespace
}  // namespace inlay
