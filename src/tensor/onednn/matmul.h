// Matrix products through oneDNN, whose API does not leave this folder.
//
//   Runtime runtime(&arena);                                  // one per context: stream and
//   compiled kernels PackedMatrix w = PackedMatrix::pack(weight, Layout::kOutIn, DType::kBF16);
//   runtime.matmul({.src = x, .rows = tokens, .dst = y, .bias = b}, w);    // y = x W^T + b
//
// A weight is packed once into the blocked layout that the kernel wants, or is met as it
// is stored (packed_matrix.h). Products with any number of rows give the same bits per row, for 1
// and for 2 threads (matmul_test.cc and quantised_matmul_test.cc hold oneDNN to it). Kernels are
// compiled per shape, so rows are rounded up to a multiple of kRowUnit and split into pieces of at
// most 2,048: few shapes ever occur. Where source and destination have no room for such rows, the
// last piece runs in a padded copy.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>

#include "tensor/onednn/packed_matrix.h"

namespace inlay::onednn {

// Every product has a multiple of so many rows.
inline constexpr int64_t kRowUnit = 64;

struct MatmulArgs {
  const void* src;  // (rows, in) in the packed matrix's compute type
  int64_t rows;
  // Rows behind the last one that may be read in src and overwritten in dst.
  int64_t spare_rows = 0;
  void* dst;                      // (rows, out)
  DType dst_dtype = DType::kF32;  // kF32 or the compute type
  const float* bias = nullptr;    // (out) or null
};

class Runtime {
 public:
  // Scratch memory comes from `memory`, which must outlive the runtime.
  explicit Runtime(std::pmr::memory_resource* memory);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void matmul(const MatmulArgs& args, const PackedMatrix& weight);

  // dst (m, n) f32 = left^T * right, with left (k, m) and right (k, n) row-major, both of `dtype`
  // (kF32 or kBF16). k is padded with zero rows to a multiple of 64; the bits depend on k, m, n
  // alone.
  void matmul_transposed(const void* left, const void* right, DType dtype, int64_t k, int64_t m,
                         int64_t n, float* dst);

  // How many kernels were compiled so far: constant once every shape was seen.
  int64_t primitives_created() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace inlay::onednn
