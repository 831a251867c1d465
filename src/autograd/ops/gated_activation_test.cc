#include "autograd/ops/gated_activation.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(GatedActivation, KeepsTheContractInEitherPrecision) {
  for (kernels::Activation kind : {kernels::Activation::kSilu, kernels::Activation::kGeluTanh}) {
    for (Precision precision : {Precision::kFull, Precision::kCompute}) {
      expect_op_contract([&](int64_t channels) {
        return OpCase{.inputs = {{channels, RowsOf::kTokens, precision},
                                 {channels, RowsOf::kTokens, precision}},
                      .function = [kind](OpRun& run) {
                        return gated_activation(run.context, run.x[0], run.x[1], kind);
                      }};
      });
    }
  }
}

}  // namespace
}  // namespace inlay
