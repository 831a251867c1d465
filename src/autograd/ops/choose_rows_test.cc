#include "autograd/ops/choose_rows.h"

#include <array>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

TEST(ChooseRows, TakesEveryRowAndItsGradientFromItsPart) {
  expect_op_contract([](int64_t channels) {
    return OpCase{.inputs = {{channels}, {channels}}, .function = [](OpRun& run) {
                    std::array<Variable, 2> parts{run.x[0], run.x[1]};
                    std::vector<std::size_t> choice;
                    for (int32_t position : run.x[0].row_space()->token_position)
                      choice.push_back(static_cast<std::size_t>(position % 3 == 0));
                    return choose_rows(run.context, parts, choice);
                  }};
  });
}

}  // namespace
}  // namespace inlay
