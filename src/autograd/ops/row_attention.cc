#include "autograd/ops/row_attention.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tensor/matrix_view.h"

namespace inlay {
namespace {

template <class T>
const T* row_of(const Tensor& tensor, int64_t row) {
  return tensor.data<T>() + row * tensor.dim(1);
}

template <class T>
T dot(const T* a, const T* b, int64_t count) {
  T sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

template <class T>
void add_scaled_row(const T* src, T factor, int64_t count, T* dst) {
  for (int64_t i = 0; i < count; ++i) dst[i] += factor * src[i];
}

template <class T>
void softmax_row(T* scores, int64_t count) {
  T largest = *std::max_element(scores, scores + count), sum = 0;
  for (int64_t n = 0; n < count; ++n) sum += scores[n] = std::exp(scores[n] - largest);
  for (int64_t n = 0; n < count; ++n) scores[n] /= sum;
}

std::vector<Tensor> tensors_of(std::span<const Variable> variables) {
  std::vector<Tensor> tensors;
  tensors.reserve(variables.size());
  for (const Variable& variable : variables) tensors.push_back(variable.value());
  return tensors;
}

std::vector<Slot> slots_of(std::span<const Variable> variables) {
  std::vector<Slot> slots;
  slots.reserve(variables.size());
  for (const Variable& variable : variables) slots.push_back(variable.slot());
  return slots;
}

template <class T>
void forward_rows(const Tensor& query, const std::vector<Tensor>& keys,
                  const std::vector<Tensor>& values, Tensor& weights, Tensor& mixed) {
  int64_t rows = query.dim(0), channels = query.dim(1), count = weights.dim(1);
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows; ++r) {
    T* p = weights.mutable_data<T>() + r * count;
    for (int64_t n = 0; n < count; ++n) {
      p[n] = dot(row_of<T>(query, r), row_of<T>(keys[static_cast<std::size_t>(n)], r), channels);
    }
    softmax_row(p, count);
    T* y = mixed.mutable_data<T>() + r * channels;
    std::fill(y, y + channels, T(0));
    for (int64_t n = 0; n < count; ++n)
      add_scaled_row(row_of<T>(values[static_cast<std::size_t>(n)], r), p[n], channels, y);
  }
}

// What backward keeps and fills: gradients are zeros to begin with.
struct MixedGradients {
  Tensor query;
  std::vector<Tensor> keys, values;
};

template <class T>
void backward_rows(const Tensor& dy, const Tensor& query, const std::vector<Tensor>& keys,
                   const std::vector<Tensor>& values, const Tensor& weights,
                   MixedGradients& grads) {
  int64_t rows = query.dim(0), channels = query.dim(1), count = weights.dim(1);
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows; ++r) {
    const T* p = weights.data<T>() + r * count;
    const T* seed = row_of<T>(dy, r);
    T mean = 0;
    for (int64_t n = 0; n < count; ++n)
      mean += p[n] * dot(seed, row_of<T>(values[static_cast<std::size_t>(n)], r), channels);
    for (int64_t n = 0; n < count; ++n) {
      auto i = static_cast<std::size_t>(n);
      T slope = p[n] * (dot(seed, row_of<T>(values[i], r), channels) - mean);
      add_scaled_row(row_of<T>(keys[i], r), slope, channels,
                     grads.query.mutable_data<T>() + r * channels);
      add_scaled_row(row_of<T>(query, r), slope, channels,
                     grads.keys[i].mutable_data<T>() + r * channels);
      add_scaled_row(seed, p[n], channels, grads.values[i].mutable_data<T>() + r * channels);
    }
  }
}

}  // namespace

MixedRows row_attention(OpContext& context, const Variable& query, std::span<const Variable> keys,
                        std::span<const Variable> values) {
  ensure(!keys.empty() && keys.size() == values.size(), "{} keys for {} values", keys.size(),
         values.size());
  bool requires_grad = query.requires_grad();
  for (std::size_t n = 0; n < keys.size(); ++n) {
    ensure(keys[n].shape() == query.shape() && values[n].shape() == query.shape() &&
               keys[n].dtype() == query.dtype() && values[n].dtype() == query.dtype(),
           "alternative {} has a key {} and a value {} for a query {}", n, keys[n].shape().text(),
           values[n].shape().text(), query.shape().text());
    requires_grad = requires_grad || keys[n].requires_grad() || values[n].requires_grad();
  }
  auto count = static_cast<int64_t>(keys.size());
  Tensor mixed = context.tape.empty_rows(query.shape(), query.dtype());
  Tensor weights = context.tape.empty({query.rows(), count}, query.dtype());
  std::vector<Tensor> k = tensors_of(keys), v = tensors_of(values);
  with_real(query.dtype(),
            [&](auto zero) { forward_rows<decltype(zero)>(query.value(), k, v, weights, mixed); });
  Variable y = context.tape.record(
      std::move(mixed), query.row_space(), requires_grad,
      [q = query.value(), k = std::move(k), v = std::move(v), weights, q_slot = query.slot(),
       k_slots = slots_of(keys), v_slots = slots_of(values)](Tape& tape, const Tensor& dy) {
        auto zeros = [&] { return Tensor::zeros(q.shape(), q.dtype()); };
        MixedGradients grads{.query = zeros()};
        for (std::size_t n = 0; n < k.size(); ++n) {
          grads.keys.push_back(zeros());
          grads.values.push_back(zeros());
        }
        with_real(q.dtype(),
                  [&](auto zero) { backward_rows<decltype(zero)>(dy, q, k, v, weights, grads); });
        tape.accumulate(q_slot, std::move(grads.query));
        for (std::size_t n = 0; n < k.size(); ++n) {
          tape.accumulate(k_slots[n], std::move(grads.keys[n]));
          tape.accumulate(v_slots[n], std::move(grads.values[n]));
        }
      });
  return {std::move(y), std::move(weights)};
}

}  // namespace inlay
