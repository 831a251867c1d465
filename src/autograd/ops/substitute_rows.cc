#include "autograd/ops/substitute_rows.h"

#include <cstring>
#include <utility>
#include <vector>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

// Calls `visit(row of x, row of the parameter)` for the substituted rows among [first, last).
template <class Visit>
void for_each_place(const std::vector<int64_t>& places, int64_t first, int64_t last,
                    const Visit& visit) {
  for (int64_t row = first; row < last; ++row) {
    int64_t place = places[static_cast<std::size_t>(row)];
    if (place >= 0) visit(row, place);
  }
}

}  // namespace

Variable substitute_rows(OpContext& context, const Variable& x, std::span<const int32_t> ids,
                         const TrainedRows& trained) {
  Parameter& values = *trained.values;
  ensure(static_cast<int64_t>(ids.size()) == x.rows() && values.shape()[1] == x.channels() &&
             values.value().dtype() == x.dtype(),
         "{} numbers of rows {} for rows {}", ids.size(), values.shape().text(), x.shape().text());
  std::vector<int64_t> places;
  places.reserve(ids.size());
  for (int32_t id : ids) places.push_back(trained.numbers->place_of(id));
  Tensor y = context.tape.empty_rows(x.shape(), x.dtype());
  std::memcpy(y.mutable_raw(), x.value().raw(), y.byte_count());
  std::size_t bytes = static_cast<std::size_t>(x.channels()) * dtype_size(x.dtype());
  for_each_place(places, 0, x.rows(), [&](int64_t row, int64_t place) {
    std::memcpy(y.mutable_raw() + static_cast<std::size_t>(row) * bytes,
                values.value().raw() + static_cast<std::size_t>(place) * bytes, bytes);
  });
  std::size_t use = begin_use(context, &values);
  return context.tape.record(
      std::move(y), x.row_space(), true,
      [&context, &values, use, bytes, places = std::move(places), slot = x.slot(),
       rows = x.row_space()](Tape& tape, const Tensor& grad_y) {
        push_chunks_in_parallel(
            context, values, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              std::memset(leaf.mutable_raw(), 0, leaf.byte_count());
              for_each_place(places, first, last, [&](int64_t row, int64_t place) {
                kernels::add_in_place(out(leaf.rows(place, place + 1)),
                                      in(grad_y.rows(row, row + 1)), grad_y.dim(1));
              });
            });
        if (slot == nullptr) return;
        Tensor grad_x = grad_y.clone(&context.arena);
        for_each_place(places, 0, grad_x.dim(0), [&](int64_t row, int64_t) {
          std::memset(grad_x.mutable_raw() + static_cast<std::size_t>(row) * bytes, 0, bytes);
        });
        tape.accumulate(slot, std::move(grad_x));
      });
}

}  // namespace inlay
