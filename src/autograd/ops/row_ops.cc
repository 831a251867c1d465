#include "autograd/ops/row_ops.h"

#include <cstring>
#include <utility>

#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"

namespace inlay {
namespace {

std::size_t row_bytes(const Tensor& tensor) {
  return tensor.dim(0) == 0 ? 0 : tensor.byte_count() / static_cast<std::size_t>(tensor.dim(0));
}

}  // namespace

Variable slice_rows(OpContext& context, const Variable& x, int64_t first, int64_t last,
                    const RowSpace* rows) {
  return context.tape.record(x.value().rows(first, last), rows, x.requires_grad(),
                             [slot = x.slot(), first, last](Tape& tape, const Tensor& grad_y) {
                               Tensor part = tape.grad_to_add_into(slot).rows(first, last);
                               kernels::add_in_place(out(part), in(grad_y), grad_y.count());
                             });
}

Variable concat_rows(OpContext& context, std::span<const Variable> parts, const RowSpace* rows) {
  int64_t total = 0;
  bool requires_grad = false;
  for (const Variable& part : parts) {
    ensure(part.channels() == parts[0].channels() && part.dtype() == parts[0].dtype(),
           "{} values of shape {} are laid after {} ones of {}", dtype_name(part.dtype()),
           part.shape().text(), dtype_name(parts[0].dtype()), parts[0].shape().text());
    total += part.rows();
    requires_grad = requires_grad || part.requires_grad();
  }
  ensure(total == rows->rows(), "{} rows are joined in a space of {}", total, rows->rows());
  Tensor y = context.tape.empty_rows({total, parts[0].channels()}, parts[0].dtype());
  std::vector<std::pair<Slot, int64_t>> slots;  // with the first row of each
  int64_t row = 0;
  for (const Variable& part : parts) {
    std::memcpy(y.mutable_raw() + static_cast<std::size_t>(row) * row_bytes(y), part.value().raw(),
                part.value().byte_count());
    slots.emplace_back(part.slot(), row);
    row += part.rows();
  }
  return context.tape.record(
      std::move(y), rows, requires_grad, [slots](Tape& tape, const Tensor& grad_y) {
        for (const auto& [slot, first] : slots) {
          if (slot != nullptr) tape.accumulate(slot, grad_y.rows(first, first + slot->shape[0]));
        }
      });
}

Variable select_rows(OpContext& context, const Variable& x, std::vector<int64_t> numbers,
                     const RowSpace* rows) {
  Tensor y =
      context.tape.empty_rows({static_cast<int64_t>(numbers.size()), x.channels()}, x.dtype());
  std::size_t bytes = static_cast<std::size_t>(x.channels()) * dtype_size(x.dtype());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::memcpy(y.mutable_raw() + i * bytes,
                x.value().raw() + static_cast<std::size_t>(numbers[i]) * bytes, bytes);
  }
  return context.tape.record(
      std::move(y), rows, x.requires_grad(),
      [slot = x.slot(), numbers = std::move(numbers)](Tape& tape, const Tensor& grad_y) {
        Tensor grad = tape.grad_to_add_into(slot);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          auto row = static_cast<int64_t>(i);
          Tensor target = grad.rows(numbers[i], numbers[i] + 1);
          kernels::add_in_place(out(target), in(grad_y.rows(row, row + 1)), grad_y.dim(1));
        }
      });
}

}  // namespace inlay
