#include "autograd/ops/group_cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/operands.h"

namespace inlay {
namespace {

// One column of one group.
struct Column {
  kernels::Input x;
  int64_t first, last, columns, column;

  int64_t place(int64_t row) const { return row * columns + column; }
  double at(int64_t row) const { return x.load<double>(place(row)); }
  double log_sum_exp() const {
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t row = first; row < last; ++row) top = std::max(top, at(row));
    for (int64_t row = first; row < last; ++row) sum += std::exp(at(row) - top);
    return top + std::log(sum);
  }
};

// Calls visit(group, column, target row) for each column of each group.
template <class Visit>
void for_each_column(kernels::Input x, int64_t columns, const GroupTargets& targets,
                     const Visit& visit) {
  auto groups = static_cast<int64_t>(targets.offsets.size()) - 1;
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t c = 0; c < columns; ++c) {
      auto at = static_cast<std::size_t>(g);
      Column column{x, targets.offsets[at], targets.offsets[at + 1], columns, c};
      int64_t row = column.first + targets.rows[static_cast<std::size_t>(g * columns + c)];
      ensure(row >= column.first && row < column.last, "target row {} in a group of {} to {}", row,
             column.first, column.last);
      visit(g, column, row);
    }
  }
}

}  // namespace

Variable group_cross_entropy(OpContext& context, const Variable& logits,
                             const GroupTargets& targets, double normalizer,
                             const RowSpace* groups) {
  auto count = static_cast<int64_t>(targets.offsets.size()) - 1;
  int64_t columns = logits.channels();
  ensure(targets.offsets.back() == logits.rows() && groups->rows() == count &&
             static_cast<int64_t>(targets.rows.size()) == count * columns,
         "{} rows and {} targets for {} groups of {} rows and {} columns", logits.rows(),
         targets.rows.size(), count, targets.offsets.back(), columns);
  Tensor y = context.tape.empty({count, 1}, context.dtype(Precision::kFull));
  std::vector<double> losses(static_cast<std::size_t>(count));
  for_each_column(in(logits.value()), columns, targets,
                  [&](int64_t g, const Column& column, int64_t row) {
                    losses[static_cast<std::size_t>(g)] += column.log_sum_exp() - column.at(row);
                  });
  for (int64_t g = 0; g < count; ++g)
    out(y).store(g, losses[static_cast<std::size_t>(g)] / normalizer);
  // d loss / d x_r = softmax(x)_r - [r = target]
  return context.tape.record(std::move(y), groups, logits.requires_grad(),
                             [slot = logits.slot(), kept = logits.value(), &targets, columns,
                              normalizer](Tape& tape, const Tensor& grad_y) {
                               Tensor grad = tape.empty(kept.shape(), kept.dtype());
                               for_each_column(
                                   in(kept), columns, targets,
                                   [&](int64_t g, const Column& column, int64_t target) {
                                     double seed = in(grad_y).load<double>(g) / normalizer;
                                     double lse = column.log_sum_exp();
                                     for (int64_t row = column.first; row < column.last; ++row) {
                                       double share = std::exp(column.at(row) - lse);
                                       double slope = share - (row == target ? 1.0 : 0.0);
                                       out(grad).store(column.place(row), seed * slope);
                                     }
                                   });
                               tape.accumulate(slot, std::move(grad));
                             });
}

}  // namespace inlay
