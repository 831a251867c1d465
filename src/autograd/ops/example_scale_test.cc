#include "autograd/ops/example_scale.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(ExampleScale, GatesByTheMeanSigmoidOfAnExamplesTokens) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}, {1}}, .function = [](OpRun& run) {
                    return mean_gate(run.context, run.x[0], run.x[1]);
                  }};
  });
}

TEST(ExampleScale, MultipliesExamplesByGivenFactors) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}}, .function = [](OpRun& run) {
                    std::vector<double> factors;
                    const RowSpace& rows = run.tokens;
                    for (int64_t e = 0; e < rows.examples(); ++e) {
                      auto first = static_cast<std::size_t>(
                          rows.example_offsets[static_cast<std::size_t>(e)]);
                      factors.push_back(0.5 * (rows.example_place[first] % 3));
                    }
                    return scale_examples(run.context, run.x[0], std::move(factors));
                  }};
  });
}

}  // namespace
}  // namespace inlay
