// Tensors of a state that goes on from where it was saved.
#pragma once

#include <string>

#include "formats/safetensors.h"

namespace inlay {

// A copy. kInput where the file has none of this name, or one that is not F32 of this shape.
Tensor saved_tensor(const SafetensorsFile& file, const std::string& name, const Shape& shape);

}  // namespace inlay
