// More verbs for tests of kernels that take operands: see Elements as operands, and show that
// neither threads nor the instruction set change a bit.
#pragma once

#include <omp.h>

#include "tensor/kernels/kernel_test.h"
#include "tensor/kernels/operand.h"

namespace inlay::kernels {

inline Input in(const Elements& elements) { return {elements.data(), elements.dtype()}; }
inline Output out(Elements& elements) { return {elements.data(), elements.dtype()}; }

inline Elements unset(DType dtype, int64_t count) { return Elements::constant(dtype, count, 7.25); }

// Widths that take the full vectors, the partial ones, both, and neither.
inline constexpr int64_t kWidths[] = {0, 1, 3, 16, 31, 33, 64, 100, 768, 1000};
inline constexpr DType kFastTypes[] = {DType::kF32, DType::kBF16};

// run() gives Elements; they are the same bits on 1 to 3 threads, and on AVX2 and AVX-512.
template <class Run>
void expect_same_bits_everywhere(const Run& run) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Elements expected = run();
  for (int count : {2, 3}) {
    omp_set_num_threads(count);
    EXPECT_TRUE(run() == expected) << "with " << count << " threads";
  }
  omp_set_num_threads(threads);
  on_every_target([&] {
    if (hwy::SupportedTargets() != HWY_SCALAR) {
      EXPECT_TRUE(run() == expected);
    }
  });
}

}  // namespace inlay::kernels
