#include "tensor/onednn/stored_matrix.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/kernels/convert.h"

namespace inlay::onednn {
namespace {

constexpr int64_t kNarrowElements = 8 * 1024;  // that are rounded at a time

int64_t rows_rounded_at_once(int64_t columns) {
  return std::max<int64_t>(kNarrowElements / std::max<int64_t>(columns, 1), 1);
}

}  // namespace

int64_t StoredMatrix::rows() const {
  const auto* plain = std::get_if<Tensor>(&matrix_);
  return plain != nullptr ? plain->dim(0) : std::get<QuantisedMatrix>(matrix_).rows();
}

int64_t StoredMatrix::columns() const {
  const auto* plain = std::get_if<Tensor>(&matrix_);
  return plain != nullptr ? plain->dim(1) : std::get<QuantisedMatrix>(matrix_).columns();
}

bool StoredMatrix::is_plain(DType type) const {
  const auto* plain = std::get_if<Tensor>(&matrix_);
  return plain != nullptr && plain->dtype() == type;
}

const std::byte* StoredMatrix::data(int64_t row, int64_t column) const {
  const Tensor& plain = std::get<Tensor>(matrix_);
  return plain.raw() +
         static_cast<std::size_t>(row * plain.dim(1) + column) * dtype_size(plain.dtype());
}

std::size_t StoredMatrix::narrow_bytes(int64_t columns) {
  return static_cast<std::size_t>(rows_rounded_at_once(columns) * columns) *
         dtype_size(DType::kBF16);
}

bool StoredMatrix::rounds(DType type, DType by_way_of) const {
  bool plain = std::holds_alternative<Tensor>(matrix_);
  return plain && type != by_way_of && !is_plain(by_way_of);
}

void StoredMatrix::convert(const MatrixPart& part, std::byte* to, DType type) const {
  DType stored = std::get<Tensor>(matrix_).dtype();
  kernels::convert_rows({.data = data(part.first_row, part.first_column),
                         .dtype = stored,
                         .rows = part.last_row - part.first_row,
                         .columns = part.last_column - part.first_column,
                         .stride = columns()},
                        to, type);
}

void StoredMatrix::read(const MatrixPart& part, const Target& target) const {
  if (const auto* quantised = std::get_if<QuantisedMatrix>(&matrix_)) {
    bool as_bf16 = target.by_way_of == DType::kBF16;
    return quantised->dequantise_part(part, {target.data, target.type}, as_bf16);
  }
  if (!rounds(target.type, target.by_way_of)) return convert(part, target.data, target.type);
  ensure(target.narrow != nullptr, "no room to round numbers in");
  int64_t width = part.last_column - part.first_column;
  int64_t step = rows_rounded_at_once(width);
  std::byte* to = target.data;
  for (int64_t row = part.first_row; row < part.last_row; row += step) {
    int64_t last = std::min(row + step, part.last_row);
    int64_t count = (last - row) * width;
    convert({row, last, part.first_column, part.last_column}, target.narrow, target.by_way_of);
    kernels::convert(target.narrow, target.by_way_of, to, target.type, count);
    to += static_cast<std::size_t>(count) * dtype_size(target.type);
  }
}

}  // namespace inlay::onednn
