#include "autograd/ops/pooling.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Pooling, KeepsTheContractForTheMeanTheFirstAndTheLast) {
  for (Pooling kind : {Pooling::kMean, Pooling::kFirst, Pooling::kLast}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels}}, .function = [=](OpRun& run) {
                      return pooling(run.context, run.x[0], kind, &run.examples);
                    }};
    });
  }
}

}  // namespace
}  // namespace inlay
