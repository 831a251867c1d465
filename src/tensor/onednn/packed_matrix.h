// A frozen weight as the right-hand side of products, in one compute type and one direction. Two
// kinds meet the same call, Runtime::matmul (matmul.h):
//
//   PackedMatrix::pack(tensor, Layout::kOutIn, DType::kBF16)    packed once, as the kernels want it
//   PackedMatrix::over(quantised, Layout::kOutIn, DType::kF32)  no copy: some columns of it at a
//   PackedMatrix::over(tensor, Layout::kOutIn, DType::kF32)     time are converted and forgotten
//
// A tensor that has the numbers which are multiplied is read where it lies. Anything else costs a
// product so much scratch for each thread:
//
//   | columns of W, (in, width): 128, or fewer where they would take more than 4 MiB |
//   | for bf16 that is widened to f32: 16 KiB or a row                               |
//
// and 32 columns at least, which takes 128 bytes an input. The numbers that
// QuantisedMatrix::dequantised(compute) or the tensor in that type gives are multiplied. Rows of
// the weight as panels of the backward product, which would need no pieces of blocks, were
// rejected: their products would have to be added up, each thread would dequantise all of the
// weight, and the sums would be other ones than those over packed weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tensor/quantised/quantised_matrix.h"
#include "tensor/tensor.h"

namespace inlay::onednn {

// How the elements of a weight are stored: Hugging Face's Linear is (out, in), GPT-2's Conv1D is
// (in, out).
enum class Layout { kOutIn, kInOut };

// How products meet a frozen weight: packed once for each direction, or as it is stored. Quantised
// ones are always met as stored.
enum class Reading { kPacked, kStored };

// Bytes that a packed number takes: bf16 is widened where the processor cannot multiply it.
std::size_t packed_number_bytes(DType compute);

class StoredMatrix;

// W (in, out) of src (rows, in) * W.
class PackedMatrix {
 public:
  PackedMatrix();
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  // `weight` is F32, BF16 or F16 of rank 2; `compute` is kF32 or kBF16. A narrower product rounds
  // to nearest even.
  static PackedMatrix pack(const Tensor& weight, Layout layout, DType compute);
  // The bytes of `weight` are shared and stay as they are; `layout` says what its rows are.
  static PackedMatrix over(const QuantisedMatrix& weight, Layout layout, DType compute);
  static PackedMatrix over(const Tensor& weight, Layout layout, DType compute);
  // Packs new values of the same shape, dtype, layout and compute type into the memory that is
  // there, with the kernel that packed the first ones. REQUIRES: made by pack().
  void repack(const Tensor& weight);

  bool defined() const { return state_ != nullptr; }
  int64_t in() const;
  int64_t out() const;
  DType compute() const;
  std::size_t bytes() const;  // of packed numbers: 0 where none are packed

 private:
  friend class Runtime;
  static PackedMatrix over_stored(StoredMatrix source, Layout layout, DType compute);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace inlay::onednn
