#include "autograd/ops/choose_rows.h"

#include <cstring>
#include <utility>

namespace inlay {
namespace {

// Copies the rows of one choice, leaving the others as they are.
void copy_chosen(const Tensor& src, const std::vector<std::size_t>& choice, std::size_t part,
                 const Tensor& dst) {
  std::size_t bytes = static_cast<std::size_t>(src.dim(1)) * dtype_size(src.dtype());
  for (std::size_t row = 0; row < choice.size(); ++row) {
    if (choice[row] != part) continue;
    std::memcpy(dst.mutable_raw() + row * bytes, src.raw() + row * bytes, bytes);
  }
}

}  // namespace

Variable choose_rows(OpContext& context, std::span<const Variable> parts,
                     std::vector<std::size_t> choice) {
  const Variable& first = parts[0];
  ensure(static_cast<int64_t>(choice.size()) == first.rows(), "{} choices for {} rows",
         choice.size(), first.rows());
  Tensor y = context.tape.empty_rows(first.shape(), first.dtype());
  bool requires_grad = false;
  std::vector<Slot> slots;
  slots.reserve(parts.size());
  for (std::size_t part = 0; part < parts.size(); ++part) {
    ensure(parts[part].shape() == first.shape() && parts[part].dtype() == first.dtype(),
           "rows of {} are chosen beside rows of {}", parts[part].shape().text(),
           first.shape().text());
    copy_chosen(parts[part].value(), choice, part, y);
    requires_grad = requires_grad || parts[part].requires_grad();
    slots.push_back(parts[part].slot());
  }
  return context.tape.record(
      std::move(y), first.row_space(), requires_grad,
      [slots = std::move(slots), choice = std::move(choice)](Tape& tape, const Tensor& grad_y) {
        for (std::size_t part = 0; part < slots.size(); ++part) {
          if (slots[part] == nullptr) continue;
          Tensor grad = Tensor::zeros(grad_y.shape(), grad_y.dtype());
          copy_chosen(grad_y, choice, part, grad);
          tape.accumulate(slots[part], std::move(grad));
        }
      });
}

}  // namespace inlay
