#include "tensor/quantised/quantised_matrix.h"

#include <cmath>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tensor/kernels/convert.h"
#include "tensor/quantised/dequantise.h"

namespace inlay {
namespace {

void check_size(const BlockFormatInfo& info, MatrixSize size) {
  require(size.columns % info.block_length == 0, ErrorKind::kInput,
          "a weight of {} rows and {} columns cannot be {}: its blocks of {} do not divide a row",
          size.rows, size.columns, info.name, info.block_length);
}

}  // namespace

QuantisedMatrix QuantisedMatrix::quantise(const Tensor& weight, BlockFormat format) {
  const BlockFormatInfo& info = block_format_info(format);
  require(info.quantise != nullptr, ErrorKind::kUsage,
          "{} is only read; quantise to Q8_0, Q4_0, INT8 or NF4", info.name);
  require(weight.shape().rank() == 2 && is_floating(weight.dtype()), ErrorKind::kInput,
          "a {} tensor of shape {} cannot be quantised; expected a floating matrix",
          dtype_name(weight.dtype()), weight.shape().text());
  const MatrixSize size{weight.dim(0), weight.dim(1)};
  check_size(info, size);
  Tensor bytes = Tensor::empty({static_cast<int64_t>(info.byte_count(size))}, DType::kU8);
  info.quantise(weight, bytes.mutable_raw());
  return {format, size, std::move(bytes)};
}

QuantisedMatrix QuantisedMatrix::borrow(BlockFormat format, MatrixSize size,
                                        std::span<const std::byte> bytes,
                                        std::shared_ptr<const void> owner) {
  const BlockFormatInfo& info = block_format_info(format);
  check_size(info, size);
  require(bytes.size() == info.byte_count(size), ErrorKind::kInput,
          "{} bytes for {} rows and {} columns of {}; expected {}", bytes.size(), size.rows,
          size.columns, info.name, info.byte_count(size));
  const auto count = static_cast<int64_t>(bytes.size());
  return {format, size, Tensor::borrow({count}, DType::kU8, bytes, std::move(owner))};
}

std::span<const std::byte> QuantisedMatrix::bytes() const {
  ensure(rows() == size_.rows, "the bytes of {} rows out of {}", rows(), size_.rows);
  return bytes_.bytes();
}

QuantisedMatrix QuantisedMatrix::slice(int64_t first, int64_t last) const {
  ensure(0 <= first && first <= last && last <= rows(), "rows [{}, {}) of {}", first, last, rows());
  QuantisedMatrix some = *this;
  some.first_ = first_ + first;
  some.last_ = first_ + last;
  return some;
}

void QuantisedMatrix::dequantise_rows(int64_t first, int64_t last, kernels::Output dst) const {
  dequantise_part({first, last, 0, columns()}, dst);
}

void QuantisedMatrix::dequantise_part(const MatrixPart& part, kernels::Output dst,
                                      bool as_bf16) const {
  const auto& [first_row, last_row, first_column, last_column] = part;
  ensure(0 <= first_row && first_row <= last_row && last_row <= rows() && 0 <= first_column &&
             first_column <= last_column && last_column <= columns(),
         "rows [{}, {}) and columns [{}, {}) of {} and {}", first_row, last_row, first_column,
         last_column, rows(), columns());
  const QuantisedRows rows_of_part{bytes_.raw(), size_, first_ + first_row, first_ + last_row};
  kernels::dequantise(format_, {rows_of_part, first_column, last_column, as_bf16}, dst);
}

Tensor QuantisedMatrix::dequantised(DType dtype) const {
  Tensor result = Tensor::empty({rows(), columns()}, dtype);
  dequantise_rows(0, rows(), {result.mutable_raw(), dtype});
  return result;
}

double relative_error(const Tensor& weight, const QuantisedMatrix& quantised) {
  ensure(weight.shape() == Shape({quantised.rows(), quantised.columns()}),
         "a weight of shape {} against {} rows and {} columns", weight.shape().text(),
         quantised.rows(), quantised.columns());
  const auto columns = static_cast<std::size_t>(quantised.columns());
  std::vector<float> wanted(columns), found(columns);
  double error = 0, norm = 0;
  for (int64_t r = 0; r < quantised.rows(); ++r) {
    kernels::convert(weight.rows(r, r + 1).raw(), weight.dtype(),
                     reinterpret_cast<std::byte*>(wanted.data()), DType::kF32, quantised.columns());
    quantised.dequantise_rows(r, r + 1, found.data());
    for (std::size_t c = 0; c < columns; ++c) {
      const double value = static_cast<double>(wanted[c]);
      const double difference = value - static_cast<double>(found[c]);
      error += difference * difference;
      norm += value * value;
    }
  }
  return norm > 0 ? std::sqrt(error / norm) : 0.0;
}

}  // namespace inlay
