// A weight matrix where a file or its owner holds it, quantised or plain, of which products read
// parts. Handles are cheap: a copy shares the bytes.
#pragma once

#include <variant>

#include "tensor/quantised/quantised_matrix.h"
#include "tensor/tensor.h"

namespace inlay::onednn {

class StoredMatrix {
 public:
  explicit StoredMatrix(QuantisedMatrix matrix) : matrix_(std::move(matrix)) {}
  // matrix: (rows, columns) of F32, BF16 or F16.
  explicit StoredMatrix(Tensor matrix) : matrix_(std::move(matrix)) {}

  int64_t rows() const;
  int64_t columns() const;
  // Whether these are `type` numbers one after another, so that data() can be read as it is.
  bool is_plain(DType type) const;
  const std::byte* data(int64_t row, int64_t column) const;  // REQUIRES: is_plain(dtype of it)

  // Writes a part, row after row, as `type` (kF32 or kBF16). With `by_way_of` another type than
  // `type` every number is rounded to that first; `narrow` is room for it, of
  // narrow_bytes(columns of the part).
  struct Target {
    std::byte* data;
    DType type, by_way_of;
    std::byte* narrow = nullptr;
  };
  void read(const MatrixPart& part, const Target& target) const;
  static std::size_t narrow_bytes(int64_t columns);
  // Whether read() needs that room.
  bool rounds(DType type, DType by_way_of) const;

 private:
  // Of a plain one.
  void convert(const MatrixPart& part, std::byte* to, DType type) const;

  std::variant<QuantisedMatrix, Tensor> matrix_;
};

}  // namespace inlay::onednn
