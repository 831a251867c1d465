// Bottleneck adapters as a method: which settings it starts from is what its names differ in.
#pragma once

#include <memory>
#include <string>

#include "adapters/method.h"

namespace inlay {

std::unique_ptr<Method> make_bottlenecks(std::string preset);

}  // namespace inlay
