// A frozen weight matrix, (outputs, inputs), in a block format. It is never held in floats as a
// whole: products take some rows at a time.
//
//   QuantisedMatrix weight = QuantisedMatrix::quantise(tensor, BlockFormat::kNf4);
//   std::vector<BFloat16> panel(64 * weight.columns());
//   weight.dequantise_rows(128, 192, panel.data());      // rows 128 to 191, as bf16
//
// Handles are cheap: a copy shares the bytes.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "tensor/kernels/operand.h"
#include "tensor/quantised/block_format.h"
#include "tensor/tensor.h"

namespace inlay {

// Rows and columns [first, last) of a matrix.
struct MatrixPart {
  int64_t first_row = 0, last_row = 0;
  int64_t first_column = 0, last_column = 0;
};

class QuantisedMatrix {
 public:
  // weight: (rows, columns) of f32, bf16 or f16. kInput when the block length does not divide the
  // columns or a number is not finite; kUsage for a format that is only read.
  static QuantisedMatrix quantise(const Tensor& weight, BlockFormat format);
  // Bytes in the format's layout that `owner` keeps alive, as in a mapped file; they need no
  // alignment. kInput when their number is not what the format and size ask for.
  static QuantisedMatrix borrow(BlockFormat format, MatrixSize size,
                                std::span<const std::byte> bytes,
                                std::shared_ptr<const void> owner);

  BlockFormat format() const { return format_; }
  std::string_view format_name() const { return block_format_info(format_).name; }
  int64_t rows() const { return last_ - first_; }
  int64_t columns() const { return size_.columns; }
  // REQUIRES: not a slice, whose rows may share scales with others.
  std::span<const std::byte> bytes() const;

  // Rows [first, last) as a matrix that shares the bytes.
  QuantisedMatrix slice(int64_t first, int64_t last) const;

  // dst: (last - first, columns) of f32 or bf16, which is rounded to nearest even. Rows are split
  // over the threads; inside a parallel region the caller's thread does all. Whatever the processor
  // and the number of threads, the bits are those of the format's reference.
  void dequantise_rows(int64_t first, int64_t last, kernels::Output dst) const;
  // The same for some columns of the rows; dst has the shape of the part. Blocks that the part
  // takes a piece of are dequantised as a whole.
  // With `as_bf16` f32 numbers are those that bf16 has.
  void dequantise_part(const MatrixPart& part, kernels::Output dst, bool as_bf16 = false) const;
  Tensor dequantised(DType dtype) const;

 private:
  QuantisedMatrix(BlockFormat format, MatrixSize size, Tensor bytes)
      : format_(format), size_(size), bytes_(std::move(bytes)), last_(size.rows) {}

  BlockFormat format_;
  MatrixSize size_;           // of what the bytes hold
  Tensor bytes_;              // U8
  int64_t first_ = 0, last_;  // rows of it that this matrix has
};

// ||W - Q|| / ||W||, Frobenius norms, in double; 0 for a weight of zeros. REQUIRES: equal sizes.
double relative_error(const Tensor& weight, const QuantisedMatrix& quantised);

}  // namespace inlay
