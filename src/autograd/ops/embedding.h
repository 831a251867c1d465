// Rows of frozen or trainable tables by number.
#pragma once

#include <span>
#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// A table and, when it is trained, the parameter that stands in for it.
struct EmbeddingTable {
  Tensor frozen;  // (rows, channels), any floating type
  Parameter* trained = nullptr;

  const Tensor& value() const { return trained != nullptr ? trained->value() : frozen; }
};

// out(t) = sum over the tables of table_i[ids_i[t]], added in the order given; (tokens, channels),
// full precision. Numbers must be in range; ids must outlive the backward pass.
struct EmbeddingLookup {
  EmbeddingTable table;
  const std::vector<int32_t>* ids;
};
Variable embedding_sum(OpContext& context, std::span<const EmbeddingLookup> lookups,
                       const RowSpace* rows);

}  // namespace inlay
