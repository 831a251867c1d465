#include "autograd/ops/sparse_linear.h"

#include <omp.h>

#include <utility>

#include "autograd/chunk_gradients.h"
#include "autograd/operands.h"
#include "tensor/kernels/sparse_product.h"

namespace inlay {
namespace {

int64_t channels_of(const Parameter& order, const Parameter& values) {
  return order.shape()[0] - 1 - 2 * values.shape()[0];
}

kernels::SparseOrder order_of(const Parameter& order, const Parameter& values) {
  const auto* starts = order.value().data<int32_t>();
  const int32_t* channels = starts + channels_of(order, values) + 1;
  return {starts, channels, channels + values.shape()[0]};
}

std::span<float> numbers(Tensor& scratch) {
  return {scratch.mutable_data<float>(), static_cast<std::size_t>(scratch.count())};
}

Tensor multiply(OpContext& context, const Tensor& x, Parameter& values, Parameter& order,
                DType dtype) {
  int64_t in_channels = x.dim(1), out_channels = channels_of(order, values);
  context.useful_flops += 2.0 * static_cast<double>(x.dim(0) * values.shape()[0]);
  Tensor y = context.tape.empty_rows({x.dim(0), out_channels}, dtype);
  auto needed = static_cast<int64_t>(kernels::sparse_product_scratch(in_channels, out_channels));
  Tensor scratch = context.tape.empty({needed}, DType::kF32);
  kernels::sparse_product(
      {in(x), in(values.value()), order_of(order, values), x.dim(0), in_channels, out_channels},
      numbers(scratch), out(y));
  return y;
}

int64_t longest_chunk(const RowSpace& rows) {
  int64_t longest = 0;
  for (std::size_t i = 0; i + 1 < rows.chunk_offsets.size(); ++i)
    longest = std::max(longest, rows.chunk_offsets[i + 1] - rows.chunk_offsets[i]);
  return longest;
}

}  // namespace

Tensor sparse_order(std::span<const int32_t> result, std::span<const int32_t> read, int64_t count) {
  auto n = static_cast<int64_t>(result.size());
  Tensor order = Tensor::zeros({count + 1 + 2 * n}, DType::kI32);
  auto* starts = order.mutable_data<int32_t>();
  for (int32_t channel : result) ++starts[channel + 1];
  for (int64_t j = 0; j < count; ++j) starts[j + 1] += starts[j];
  std::vector<int32_t> next(starts, starts + count);
  int32_t* channels = starts + count + 1;
  for (int64_t i = 0; i < n; ++i) {
    int32_t k = next[static_cast<std::size_t>(result[static_cast<std::size_t>(i)])]++;
    channels[k] = read[static_cast<std::size_t>(i)];
    channels[n + k] = static_cast<int32_t>(i);
  }
  return order;
}

Variable sparse_linear(OpContext& context, const Variable& x, Parameter& values,
                       const SparsePlaces& places) {
  ensure(channels_of(places.by_input, values) == x.channels(),
         "a sparse weight of {} inputs for {} channels", channels_of(places.by_input, values),
         x.channels());
  Tensor read = x.value();
  Tensor y = multiply(context, read, values, places.by_output, context.dtype(Precision::kFull));
  std::size_t use = begin_use(context, &values);
  return context.tape.record(
      std::move(y), x.row_space(), x.requires_grad() || !values.frozen(),
      [&context, &values, places, use, read, rows = x.row_space(), slot = x.slot()](
          Tape& tape, const Tensor& dy) {
        context.useful_flops += 2.0 * static_cast<double>(dy.dim(0) * values.shape()[0]);
        auto each = static_cast<int64_t>(
            kernels::sparse_grad_scratch(read.dim(1), dy.dim(1), longest_chunk(*rows)));
        Tensor scratch = tape.empty({each * omp_get_max_threads()}, DType::kF32);
        push_chunks_in_parallel(
            context, values, use, *rows, [&](int64_t first, int64_t last, const Tensor& leaf) {
              std::span<float> own =
                  numbers(scratch).subspan(static_cast<std::size_t>(omp_get_thread_num() * each),
                                           static_cast<std::size_t>(each));
              kernels::sparse_grad({in(read), in(dy), order_of(places.by_output, values),
                                    read.dim(1), dy.dim(1), first, last},
                                   own, out(leaf));
            });
        if (slot == nullptr) return;
        tape.accumulate(slot, multiply(context, dy, values, places.by_input, read.dtype()));
      });
}

}  // namespace inlay
