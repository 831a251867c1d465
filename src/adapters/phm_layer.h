// Parameterised hypercomplex multiplication, Zhang et al. 2021, arXiv:2102.08597, with the low-rank
// factors of Compacter, Karimi Mahabadi et al. 2021, arXiv:2106.04647, eq. (6) and (7):
//   y = x H + b,  H = sum over i < n of A_i (x) (s_i t_i)   ((x): the Kronecker product)
#pragma once

#include <string>

#include "adapters/method.h"
#include "nn/initializers.h"

namespace inlay {

struct PhmShape {
  int64_t n = 4;               // how many terms; divides in and out
  int64_t rank = 1;            // of s_i t_i
  double rule_std = 1e-4;      // of the rule A at the start, which all layers share
  bool glorot_uniform = true;  // distribution of s and t at the start; false: normal
};

// H transposed, (out, in), as a function of the parts `<layer>.W_left` (n, in / n, rank) and
// `<layer>.W_right` (n, rank, out / n) and of the shared `phm_rule` (n, n, n).
DerivedParameter& make_phm_weight(const Site& site, const std::string& layer, int64_t in,
                                  int64_t out, const PhmShape& shape, ParameterMaker& make);

}  // namespace inlay
