// All tensors of a file by name, whichever kind of file it is.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tensor/tensor.h"

namespace inlay {

// A safetensors file, or by any other ending a torch state dict, of which only tensors are read and
// nothing is executed.
std::map<std::string, Tensor> read_tensors(const std::filesystem::path& path);

}  // namespace inlay
