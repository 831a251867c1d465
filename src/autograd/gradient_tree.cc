#include "autograd/gradient_tree.h"

#include <utility>

#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {

void GradientTree::push(Tensor leaf) {
  std::size_t level = 0;
  for (int64_t carry = count_; (carry & 1) != 0; carry >>= 1, ++level) {
    kernels::add_in_place(out(levels_[level]), in(leaf), leaf.count());
    leaf = std::exchange(levels_[level], Tensor());
  }
  if (level == levels_.size()) levels_.emplace_back();
  levels_[level] = std::move(leaf);
  ++count_;
}

Tensor GradientTree::take_total() {
  Tensor total;
  // From the largest finished subtree down: the left, larger part is always the first operand.
  for (std::size_t level = levels_.size(); level-- > 0;) {
    Tensor part = std::exchange(levels_[level], Tensor());
    if (!part.defined()) continue;
    if (total.defined()) {
      kernels::add_in_place(out(total), in(part), part.count());
    } else {
      total = std::move(part);
    }
  }
  count_ = 0;
  return total;
}

}  // namespace inlay
