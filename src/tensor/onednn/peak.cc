#include "tensor/onednn/peak.h"

#include <algorithm>
#include <chrono>

#include "tensor/arena.h"
#include "tensor/onednn/matmul.h"

namespace inlay::onednn {

double measure_peak(DType compute, int products) {
  constexpr int64_t kRows = 1024, kIn = 768, kOut = 3072;
  Arena arena;
  Runtime runtime(&arena);
  PackedMatrix weight =
      PackedMatrix::pack(Tensor::zeros({kOut, kIn}, DType::kF32), Layout::kOutIn, compute);
  Tensor x = Tensor::zeros({kRows, kIn}, compute, &arena);
  Tensor y = Tensor::empty({kRows, kOut}, compute, &arena);
  double best = 1e30;
  for (int i = 0; i < products + 2; ++i) {
    auto begin = std::chrono::steady_clock::now();
    runtime.matmul({.src = x.raw(), .rows = kRows, .dst = y.mutable_raw(), .dst_dtype = compute},
                   weight);
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (i >= 2) best = std::min(best, seconds.count());  // the first compile and warm up
  }
  return 2.0 * kRows * kIn * kOut / best;
}

}  // namespace inlay::onednn
