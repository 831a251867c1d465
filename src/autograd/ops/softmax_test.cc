#include "autograd/ops/softmax.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Softmax, KeepsTheContractInEitherPrecision) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                    .function = [](OpRun& run) { return softmax(run.context, run.x[0]); }};
    });
  }
}

}  // namespace
}  // namespace inlay
