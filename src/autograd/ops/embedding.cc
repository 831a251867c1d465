#include "autograd/ops/embedding.h"

#include <algorithm>
#include <cstring>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/embedding.h"

namespace inlay {
namespace {

// The gradient of a whole table over one chunk: few of its rows are used.
void table_gradient(const std::vector<int32_t>& ids, const Tensor& grad_y, int64_t first,
                    int64_t last, const Tensor& leaf) {
  std::vector<int32_t> unique(ids.begin() + first, ids.begin() + last);
  std::sort(unique.begin(), unique.end());
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
  auto count = static_cast<int64_t>(unique.size());
  Tensor rows = Tensor::empty({count, leaf.dim(1)}, leaf.dtype());
  kernels::embedding_grad({.first = first,
                           .last = last,
                           .channels = leaf.dim(1),
                           .grad_dst = in(grad_y),
                           .ids = ids.data(),
                           .unique_ids = unique.data(),
                           .unique_count = count,
                           .grad_rows = out(rows)});
  std::memset(leaf.mutable_raw(), 0, leaf.byte_count());
  std::size_t bytes = static_cast<std::size_t>(leaf.dim(1)) * dtype_size(leaf.dtype());
  for (std::size_t i = 0; i < unique.size(); ++i) {
    std::memcpy(leaf.mutable_raw() + static_cast<std::size_t>(unique[i]) * bytes,
                rows.raw() + i * bytes, bytes);
  }
}

}  // namespace

Variable embedding_sum(OpContext& context, std::span<const EmbeddingLookup> lookups,
                       const RowSpace* rows) {
  int64_t tokens = rows->rows(), channels = lookups[0].table.value().dim(1);
  Tensor y = context.tape.empty({tokens, channels}, context.dtype(Precision::kFull));
  Tensor term;
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    if (i == 1) term = context.tape.empty(y.shape(), y.dtype());
    Tensor table = lookups[i].table.value();
    ensure(table.dim(1) == channels && static_cast<int64_t>(lookups[i].ids->size()) == tokens,
           "{} numbers of rows of {} channels, where {} tokens of {} are summed",
           lookups[i].ids->size(), table.dim(1), tokens, channels);
    if (y.dtype() == DType::kF64 && table.dtype() != DType::kF64)
      table = table.to(DType::kF64, &context.arena);
    kernels::embedding_gather(in(table), lookups[i].ids->data(), tokens, channels,
                              out(i == 0 ? y : term));
    if (i > 0) kernels::add_in_place(out(y), in(term), y.count());
  }
  struct Trained {
    Parameter* parameter;
    const std::vector<int32_t>* ids;
    std::size_t use;
  };
  std::vector<Trained> trained;
  for (const EmbeddingLookup& lookup : lookups) {
    Parameter* parameter = lookup.table.trained;
    if (parameter != nullptr)
      trained.push_back({parameter, lookup.ids, begin_use(context, parameter)});
  }
  bool records = !trained.empty();
  return context.tape.record(
      std::move(y), rows, records,
      [&context, rows, trained = std::move(trained)](Tape&, const Tensor& grad_y) {
        for (const Trained& table : trained) {
          push_chunks_in_turn(context, *table.parameter, table.use, *rows,
                              [&](int64_t first, int64_t last, const Tensor& leaf) {
                                table_gradient(*table.ids, grad_y, first, last, leaf);
                              });
        }
      });
}

}  // namespace inlay
