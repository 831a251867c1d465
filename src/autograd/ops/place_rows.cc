#include "autograd/ops/place_rows.h"

#include <cstring>
#include <utility>

namespace inlay {

Variable place_rows(OpContext& context, const Variable& x, std::vector<int64_t> numbers,
                    const RowSpace* rows) {
  ensure(static_cast<int64_t>(numbers.size()) == x.rows(), "{} places for {} rows", numbers.size(),
         x.rows());
  Tensor y = context.tape.empty_rows({rows->rows(), x.channels()}, x.dtype());
  std::memset(y.mutable_raw(), 0, y.byte_count());
  std::size_t bytes = static_cast<std::size_t>(x.channels()) * dtype_size(x.dtype());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::memcpy(y.mutable_raw() + static_cast<std::size_t>(numbers[i]) * bytes,
                x.value().raw() + i * bytes, bytes);
  }
  return context.tape.record(
      std::move(y), rows, x.requires_grad(),
      [numbers = std::move(numbers), slot = x.slot(), bytes](Tape& tape, const Tensor& grad_y) {
        Tensor grad_x = tape.empty_rows(slot->shape, slot->dtype);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          std::memcpy(grad_x.mutable_raw() + i * bytes,
                      grad_y.raw() + static_cast<std::size_t>(numbers[i]) * bytes, bytes);
        }
        tape.accumulate(slot, std::move(grad_x));
      });
}

}  // namespace inlay
