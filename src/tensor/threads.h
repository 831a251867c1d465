// The worker threads, shared by our kernels and oneDNN. Started once, before the first parallel
// region.
#pragma once

namespace inlay {

// Sets the number of OpenMP threads (0: one per core of the process's mask), pins each to a core of
// that mask, and makes denormals zero on every one. Unpinned, a parallel region can stall for
// milliseconds on a busy machine. Returns the number in use.
int start_threads(int wanted);

int thread_count();

}  // namespace inlay
