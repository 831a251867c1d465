// A matrix with orthonormal rows as a function of free numbers, kept as PyTorch's
// torch.nn.utils.parametrizations.orthogonal keeps it: R = (base Q)^T, with Q (d, r) the product of
// r Householder reflections (Golub and Van Loan, section 5.1) I - 2 v v^T / (v^T v), where v of
// reflection i is a one at i and what stands after the diagonal in row i of `original`, each column
// of Q times the sign on the diagonal. So R starts as the first rows of the orthogonal base.
#pragma once

#include <string>

#include "adapters/method.h"

namespace inlay {

// R (rows, columns), rows <= columns. Its parts are `<part>.parametrizations.weight.original`
// (rows, columns) and `<part>.parametrizations.weight.0.base` (columns, columns), which is fixed,
// as is `original` where `trained` is false. A drawn R is uniform over such matrices.
DerivedParameter& make_orthogonal_rows(const Site& site, const std::string& part, int64_t rows,
                                       int64_t columns, bool trained, ParameterMaker& make);

}  // namespace inlay
