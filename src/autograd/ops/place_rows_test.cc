#include "autograd/ops/place_rows.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

// The rows of one row per example go to the last token of each.
TEST(PlaceRows, PutsRowsAmongZeros) {
  expect_op_contract([](int64_t channels) {
    return OpCase{
        .inputs = {{channels, RowsOf::kExamples}}, .function = [](OpRun& run) {
          std::vector<int64_t> numbers;
          for (int64_t e = 0; e < run.tokens.examples(); ++e) {
            numbers.push_back(run.tokens.example_offsets[static_cast<std::size_t>(e) + 1] - 1);
          }
          return place_rows(run.context, run.x[0], numbers, &run.tokens);
        }};
  });
}

}  // namespace
}  // namespace inlay
