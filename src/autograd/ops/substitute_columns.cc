#include "autograd/ops/substitute_columns.h"

#include <cstring>
#include <utility>
#include <vector>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"

namespace inlay {
namespace {

void add(const Tensor& dst, int64_t i, kernels::Input src, int64_t j) {
  out(dst).store(i, in(dst).load<double>(i) + src.load<double>(j));
}

// Calls `visit(element of z, its place in y)` for rows [first, last).
template <class Visit>
void for_each_element(const std::vector<int32_t>& columns, int64_t width, int64_t first,
                      int64_t last, const Visit& visit) {
  auto count = static_cast<int64_t>(columns.size());
  for (int64_t row = first; row < last; ++row) {
    for (int64_t i = 0; i < count; ++i)
      visit(row * count + i, row * width + columns[static_cast<std::size_t>(i)]);
  }
}

}  // namespace

Variable substitute_columns(OpContext& context, const Variable& y, const Variable& z,
                            const RowNumbers& numbers, const ColumnBias& bias) {
  const std::vector<int32_t>& columns = numbers.in_order();
  int64_t width = y.channels();
  bool biased = bias.value().defined();
  ensure(z.rows() == y.rows() && z.channels() == static_cast<int64_t>(columns.size()) &&
             z.dtype() == y.dtype() && (!biased || bias.value().count() == width),
         "{} columns {} of {} with a bias of {}", columns.size(), z.shape().text(),
         y.shape().text(), biased ? bias.value().count() : 0);
  Tensor result = context.tape.empty_rows(y.shape(), y.dtype());
  std::memcpy(result.mutable_raw(), y.value().raw(), result.byte_count());
  for_each_element(columns, width, 0, y.rows(), [&](int64_t element, int64_t place) {
    out(result).store(place, in(z.value()).load<double>(element));
    if (biased) add(result, place, in(bias.value()), place % width);
  });
  std::size_t use = begin_use(context, bias.trained);
  bool requires_grad = y.requires_grad() || z.requires_grad() || bias.trained != nullptr;
  return context.tape.record(
      std::move(result), y.row_space(), requires_grad,
      [&context, columns, width, use, trained = bias.trained, y_slot = y.slot(), z_slot = z.slot(),
       rows = y.row_space()](Tape& tape, const Tensor& grad) {
        if (trained != nullptr) {
          push_chunks_in_parallel(
              context, *trained, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
                std::memset(leaf.mutable_raw(), 0, leaf.byte_count());
                for_each_element(columns, width, first, last, [&](int64_t, int64_t place) {
                  add(leaf, place % width, in(grad), place);
                });
              });
        }
        if (z_slot != nullptr) {
          Tensor grad_z = tape.empty_rows(z_slot->shape, z_slot->dtype);
          for_each_element(columns, width, 0, grad.dim(0), [&](int64_t element, int64_t place) {
            out(grad_z).store(element, in(grad).load<double>(place));
          });
          tape.accumulate(z_slot, std::move(grad_z));
        }
        if (y_slot == nullptr) return;
        Tensor grad_y = grad.clone(&context.arena);
        for_each_element(columns, width, 0, grad.dim(0),
                         [&](int64_t, int64_t place) { out(grad_y).store(place, 0.0); });
        tape.accumulate(y_slot, std::move(grad_y));
      });
}

}  // namespace inlay
