// Splits independent items over the OpenMP threads, one contiguous range for each. Little work
// stays on the calling thread, for which waking the others would cost more than it saves.
//
//   parallel_ranges(rows, channels, [&](int64_t first, int64_t last) { ... });
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace inlay::kernels {

inline constexpr int64_t kParallelWork = 32 * 1024;  // elements

// body(first, last) covers [0, items); `cost` is the number of elements of one item. Ranges start
// at multiples of `grain`.
template <class Body>
void parallel_ranges(int64_t items, int64_t cost, const Body& body, int64_t grain = 1) {
  const int64_t grains = (items + grain - 1) / grain;
  const int64_t parts = std::min<int64_t>(omp_get_max_threads(), grains);
  if (parts <= 1 || items <= kParallelWork / std::max<int64_t>(cost, 1) || omp_in_parallel()) {
    return body(int64_t{0}, items);
  }
#pragma omp parallel for schedule(static) num_threads(static_cast <int>(parts))
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = grains * part / parts * grain;
    const int64_t last = std::min(grains * (part + 1) / parts * grain, items);
    body(first, last);
  }
}

// Element-wise work: ranges start at multiples of 64 elements.
template <class Body>
void parallel_elements(int64_t count, const Body& body) {
  parallel_ranges(count, 1, body, 64);
}

}  // namespace inlay::kernels
