// Which row of a group is the right one: a softmax over the rows of each group, in every column of
// its own. Span question answering picks the first and the last token of a sequence (two columns),
// multiple choice a choice (one column, a row per choice), in-batch negatives the text that goes
// with another one.
#pragma once

#include <vector>

#include "autograd/op_context.h"

namespace inlay {

struct GroupTargets {
  // Rows [offsets[g], offsets[g + 1]) are group g; one more than groups.
  std::vector<int64_t> offsets;
  // (groups, columns): the right row, counted from the group's first.
  std::vector<int32_t> rows;
};

// logits (rows, columns) -> (groups, 1), in the space `groups`: the sum over columns of
// log(sum_r exp(x_r)) - x_target, divided by `normalizer`. `targets` must outlive the backward
// pass; a target outside its group is a bug.
Variable group_cross_entropy(OpContext& context, const Variable& logits,
                             const GroupTargets& targets, double normalizer,
                             const RowSpace* groups);

}  // namespace inlay
