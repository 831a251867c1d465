// Targets over classes where pictures may be mixed with others.
#pragma once

#include <functional>
#include <span>

#include "eval/encoded_example.h"

namespace inlay {

// The classes that an example has. The span lives as long as the example.
using ClassesOf = std::function<std::span<const int32_t>(const Example&)>;

// (examples, outputs), F32: 1 for each of its classes; of a mixed picture, share y + (1 - share)
// y_partner (Zhang et al. 2018, section 2).
Tensor soft_targets(ExampleSpan examples, int64_t outputs, const ClassesOf& classes_of);

}  // namespace inlay
