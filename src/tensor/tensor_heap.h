// Where tensors live that outlast a step: parameters, gradients on their way, what is derived from
// parameters each step. Large blocks are mapped one by one, so that freed ones leave no holes
// behind, and some are kept for the next of their size: a tensor made anew every step then costs no
// call of the system. What a process holds is thereby close to what its tensors need.
#pragma once

#include <memory_resource>

namespace inlay {

// For any number of threads; lives as long as the process.
std::pmr::memory_resource* tensor_heap();

// Gives what is kept, here and in the C library's heap, back to the system: after work whose
// memory will not be wanted again in the same pieces.
void trim_tensor_heap();

}  // namespace inlay
