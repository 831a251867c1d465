#include "autograd/ops/row_ops.h"

#include <cstring>
#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/parallel.h"

namespace inlay {
namespace {

// Where the rows of one example go: `at` of x, the inserted ones, the rest of x.
struct Placement {
  int64_t x, inserted, y;  // first rows
  int64_t own, added, at;  // counts
};

template <class Visit>
void for_each_example(const std::vector<int64_t>& x, const std::vector<int64_t>& inserted,
                      int64_t at, const Visit& visit) {
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    visit(Placement{x[i], inserted[i], x[i] + inserted[i], x[i + 1] - x[i],
                    inserted[i + 1] - inserted[i], at});
  }
}

void copy_rows(const Tensor& src, int64_t from, const Tensor& dst, int64_t to, int64_t count) {
  std::size_t bytes = static_cast<std::size_t>(src.dim(1)) * dtype_size(src.dtype());
  std::memcpy(dst.mutable_raw() + static_cast<std::size_t>(to) * bytes,
              src.raw() + static_cast<std::size_t>(from) * bytes,
              static_cast<std::size_t>(count) * bytes);
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
    kernels::parallel_ranges(part.rows(), part.channels(), [&](int64_t first, int64_t last) {
      copy_rows(part.value(), first, y, row + first, last - first);
    });
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

Variable insert_rows(OpContext& context, const Variable& x, const Variable& inserted, int64_t at,
                     const RowSpace* rows) {
  const std::vector<int64_t>& own = x.row_space()->example_offsets;
  const std::vector<int64_t>& added = inserted.row_space()->example_offsets;
  ensure(x.channels() == inserted.channels() && x.dtype() == inserted.dtype() &&
             own.size() == added.size() && rows->rows() == x.rows() + inserted.rows(),
         "{} rows of {} are set among {} ones of {} in a space of {}", dtype_name(inserted.dtype()),
         inserted.shape().text(), dtype_name(x.dtype()), x.shape().text(), rows->rows());
  Tensor y = context.tape.empty_rows({rows->rows(), x.channels()}, x.dtype());
  for_each_example(own, added, at, [&](const Placement& place) {
    ensure(place.own >= at, "rows are set before row {} of an example of {}", at, place.own);
    copy_rows(x.value(), place.x, y, place.y, at);
    copy_rows(inserted.value(), place.inserted, y, place.y + at, place.added);
    copy_rows(x.value(), place.x + at, y, place.y + at + place.added, place.own - at);
  });
  return context.tape.record(
      std::move(y), rows, x.requires_grad() || inserted.requires_grad(),
      [x_slot = x.slot(), inserted_slot = inserted.slot(), &own, &added, at](Tape& tape,
                                                                             const Tensor& grad_y) {
        auto empty = [&](const Slot& slot) {
          return slot == nullptr ? Tensor() : tape.empty_rows(slot->shape, slot->dtype);
        };
        Tensor grad_x = empty(x_slot), grad_inserted = empty(inserted_slot);
        for_each_example(own, added, at, [&](const Placement& place) {
          if (grad_inserted.defined())
            copy_rows(grad_y, place.y + at, grad_inserted, place.inserted, place.added);
          if (!grad_x.defined()) return;
          copy_rows(grad_y, place.y, grad_x, place.x, at);
          copy_rows(grad_y, place.y + at + place.added, grad_x, place.x + at, place.own - at);
        });
        if (x_slot != nullptr) tape.accumulate(x_slot, std::move(grad_x));
        if (inserted_slot != nullptr) tape.accumulate(inserted_slot, std::move(grad_inserted));
      });
}

Variable repeat_rows(OpContext& context, Parameter& parameter, Precision precision,
                     const RowSpace* rows) {
  int64_t count = parameter.shape()[0];
  ensure(rows->rows() == rows->examples() * count,
         "{} rows repeated for {} examples in a space of {}", count, rows->examples(),
         rows->rows());
  Tensor once = parameter.value().to(context.dtype(precision));
  Tensor y = context.tape.empty_rows({rows->rows(), once.dim(1)}, once.dtype());
  for (int64_t i = 0; i < rows->examples(); ++i) copy_rows(once, 0, y, i * count, count);
  std::size_t use = begin_use(context, &parameter);
  return context.tape.record(
      std::move(y), rows, !parameter.frozen(),
      [&context, &parameter, use, rows, count](Tape&, const Tensor& grad_y) {
        push_chunks_in_parallel(
            context, parameter, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              std::memset(leaf.mutable_raw(), 0, leaf.byte_count());
              for (int64_t row = first; row < last; row += count) {
                kernels::add_in_place(out(leaf), in(grad_y.rows(row, row + count)), leaf.count());
              }
            });
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
