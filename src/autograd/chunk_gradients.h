// The one way gradients of parameters are made: a partial gradient per chunk of the row space,
// pushed in order into the parameter's tree.
#pragma once

#include <algorithm>
#include <array>

#include "autograd/op_context.h"
#include "autograd/use_log.h"

namespace inlay {

// The tree that this use of a parameter sums into. Nothing begins without a parameter, or when
// nothing is recorded.
inline std::size_t begin_use(OpContext& context, Parameter* parameter) {
  if (parameter == nullptr || parameter->frozen()) return 0;
  if (context.uses != nullptr)
    return context.uses->begin_use(*parameter, context.forward, context.memory);
  if (!context.tape.recording()) return 0;
  return parameter->begin_use(context.forward, context.memory);
}

// For gradients made by single-threaded kernels: chunks run in parallel. `write(first_row,
// last_row, dst)` fills `dst` (a contiguous tensor of the parameter's shape) from these rows alone.
template <class Write>
void push_chunks_in_parallel(OpContext& context, Parameter& parameter, std::size_t use,
                             const RowSpace& rows, const Write& write) {
  if (parameter.frozen()) return;
  // A bounded number at a time keeps the scratch small; the order of pushing, and so the bits, do
  // not depend on it.
  constexpr int64_t kWave = 8;
  for (int64_t first = 0; first < rows.chunks(); first += kWave) {
    int64_t count = std::min(kWave, rows.chunks() - first);
    std::array<Tensor, kWave> leaves;
    for (int64_t i = 0; i < count; ++i) {
      leaves[static_cast<std::size_t>(i)] =
          context.tape.empty(parameter.shape(), parameter.value().dtype());
    }
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; ++i) {
      auto chunk = static_cast<std::size_t>(first + i);
      write(rows.chunk_offsets[chunk], rows.chunk_offsets[chunk + 1],
            leaves[static_cast<std::size_t>(i)]);
    }
    for (int64_t i = 0; i < count; ++i)
      parameter.tree(use).push(std::move(leaves[static_cast<std::size_t>(i)]));
  }
}

// For gradients made by products that are themselves parallel: one chunk after the other.
template <class Write>
void push_chunks_in_turn(OpContext& context, Parameter& parameter, std::size_t use,
                         const RowSpace& rows, const Write& write) {
  if (parameter.frozen()) return;
  for (std::size_t chunk = 0; chunk + 1 < rows.chunk_offsets.size(); ++chunk) {
    Tensor leaf = context.tape.empty(parameter.shape(), parameter.value().dtype());
    write(rows.chunk_offsets[chunk], rows.chunk_offsets[chunk + 1], leaf);
    parameter.tree(use).push(std::move(leaf));
  }
}

}  // namespace inlay
