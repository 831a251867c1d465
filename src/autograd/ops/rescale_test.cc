#include "autograd/ops/rescale.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(Rescale, TrainsTheLengthsOfRows) {
  for (Precision precision : {Precision::kFull, Precision::kCompute}) {
    expect_op_contract([&](int64_t channels) {
      return OpCase{.inputs = {{channels, RowsOf::kTokens, precision}},
                    .parameters = {{channels}},
                    .function = [channels](OpRun& run) {
                      Tensor length = drawn_tensor("length", {channels});
                      for (int64_t i = 0; i < channels; ++i)
                        out(length).store(i, 1.0 + std::fabs(in(length).load<double>(i)));
                      return rescale(run.context, run.x[0], run.p[0],
                                     drawn_tensor("centre", {channels}), length);
                    }};
    });
  }
}

TEST(Rescale, ScalesChannels) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}}, .parameters = {{channels}}, .function = [](OpRun& run) {
                    return rescale(run.context, run.x[0], run.p[0], Tensor(), Tensor());
                  }};
  });
}

}  // namespace
}  // namespace inlay
