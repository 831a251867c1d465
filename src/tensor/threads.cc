#include "tensor/threads.h"

#include <omp.h>
#include <sched.h>

#include <span>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace inlay {
namespace {

// The mask that the process was started with; pinning narrows the mask of each thread, so it is
// read once.
std::vector<int> read_mask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof(mask), &mask) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mask)) cores.push_back(core);
  }
  return cores;
}

const std::vector<int>& allowed_cores() {
  static const std::vector<int> cores = read_mask();
  return cores;
}

void run_on(std::span<const int> cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (int core : cores) CPU_SET(core, &mask);
  ::sched_setaffinity(0, sizeof(mask), &mask);
}

void flush_denormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040u);  // flush-to-zero and denormals-are-zero
#endif
}

}  // namespace

int start_threads(int wanted) {
  const std::vector<int>& cores = allowed_cores();
  int count = wanted > 0 ? wanted : static_cast<int>(cores.empty() ? 1 : cores.size());
  omp_set_dynamic(0);
  omp_set_num_threads(count);
#pragma omp parallel num_threads(count)
  {
    auto self = static_cast<std::size_t>(omp_get_thread_num());
    // More threads than cores are left to the scheduler.
    if (static_cast<std::size_t>(count) <= cores.size()) run_on({&cores[self], 1});
    flush_denormals();
  }
  return count;
}

int thread_count() { return omp_get_max_threads(); }

void begin_side_thread() {
  run_on(allowed_cores());
  flush_denormals();
}

}  // namespace inlay
