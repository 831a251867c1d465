// Outputs of a linear layer whose weight has trained rows, among those of the frozen weight.
#pragma once

#include "autograd/op_context.h"
#include "autograd/trained_rows.h"

namespace inlay {

// The bias of the layer that y comes from, (columns), or none; trained where a parameter is given.
struct ColumnBias {
  Tensor frozen;
  Parameter* trained = nullptr;

  const Tensor& value() const { return trained != nullptr ? trained->value() : frozen; }
};

// y with other columns at these numbers: y(:, numbers[i]) = z(:, i) + bias(numbers[i]).
// y: (rows, columns), z: (rows, count), both in full precision.
Variable substitute_columns(OpContext& context, const Variable& y, const Variable& z,
                            const RowNumbers& numbers, const ColumnBias& bias);

}  // namespace inlay
