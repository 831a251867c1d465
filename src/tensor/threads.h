// The worker threads, shared by our kernels and oneDNN. Started once, before the first parallel
// region.
#pragma once

namespace inlay {

// Sets the number of OpenMP threads (0: one per core of the process's mask), pins each to a core of
// that mask, and makes denormals zero on every one. Unpinned, a parallel region can stall for
// milliseconds on a busy machine. Returns the number in use.
int start_threads(int wanted);

int thread_count();

// For a thread that works beside these, to call when it begins: it may run on any core of the mask,
// not just where the thread is pinned that started it, and denormals are zero on it as well.
void begin_side_thread();

}  // namespace inlay
