#include "autograd/ops/group_cross_entropy.h"

#include <deque>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

// The groups are the examples; the right row is another one in each column.
OpCase case_of(int64_t columns, std::deque<GroupTargets>& kept) {
  return {.inputs = {{columns}}, .function = [=, &kept](OpRun& run) {
            GroupTargets& targets = kept.emplace_back();
            targets.offsets = run.tokens.example_offsets;
            for (std::size_t i = 0; i + 1 < targets.offsets.size(); ++i) {
              int64_t rows = targets.offsets[i + 1] - targets.offsets[i];
              for (int64_t c = 0; c < columns; ++c) {
                int64_t place = run.examples.example_place[i];
                targets.rows.push_back(static_cast<int32_t>((place * 5 + c * 3) % rows));
              }
            }
            return group_cross_entropy(run.context, run.x[0], targets, 3.0, &run.examples);
          }};
}

TEST(GroupCrossEntropy, KeepsTheContract) {
  std::deque<GroupTargets> kept;
  expect_op_contract([&](int64_t columns) { return case_of(columns, kept); });
}

TEST(GroupCrossEntropy, IsTheMeanOverStartsAndEndsInClosedForm) {
  OpContext context(DType::kF64);
  RowSpace rows = make_row_space({3}), groups = make_row_space({1});
  std::vector<double> x{0, 5, std::log(2.0), 5, 0, 5};
  Variable logits = context.tape.constant(tensor_of({3, 2}, DType::kF64, x.data()), &rows);
  GroupTargets targets{{0, 3}, {1, 2}};
  Variable loss = group_cross_entropy(context, logits, targets, 2, &groups);
  // -log(2 / 4) and -log(1 / 3)
  EXPECT_NEAR(loss.value().data<double>()[0], (std::log(2.0) + std::log(3.0)) / 2, 1e-14);
}

}  // namespace
}  // namespace inlay
