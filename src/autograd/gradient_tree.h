// Sums the partial gradients of a parameter in a binary tree that depends on the order of the
// chunks alone: chunk i joins chunk i+1 for even i, their sum joins the next pair's, and so on,
// like carries of a binary counter. Feeding 8 chunks at once or 4 and then 4 gives the same bits.
//
//           total
//          /     .
//       (0+1)+(2+3)   4       five chunks
#pragma once

#include <memory_resource>
#include <vector>

#include "tensor/tensor.h"

namespace inlay {

class GradientTree {
 public:
  // The partial gradient of the next chunk; the tree takes it over and may add into it.
  void push(Tensor leaf);
  bool empty() const { return count_ == 0; }
  // The sum of all pushed leaves; the tree is empty afterwards. REQUIRES: !empty().
  Tensor take_total();

 private:
  std::vector<Tensor>
      levels_;  // levels_[j] holds the sum of 2^j chunks where bit j of count_ is set
  int64_t count_ = 0;
};

}  // namespace inlay
