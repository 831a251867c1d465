// A base that was never trained: the tensors that its configuration asks for, with the values that
// Hugging Face starts from. Weights and tables are N(0, initializer_range^2), biases 0, norms 1;
// projections back into the residual stream are smaller by sqrt(2 layers) where the family's paper
// has it so (GPT-2: Radford et al. 2019, section 2.3).
//
//   write_new_model("models/tiny", config, DType::kF32, 1);
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "formats/model_config.h"
#include "formats/safetensors.h"

namespace inlay {

// Under the names of a model with a head, of which the output projection alone is made. Each tensor
// has a random stream of its own name: the same for any number of threads.
std::vector<NamedTensor> new_weights(const ModelConfig& config, DType dtype, uint64_t seed);

// config.json and model.safetensors in a folder that must exist.
void write_new_model(const std::filesystem::path& folder, const ModelConfig& config, DType dtype,
                     uint64_t seed);

}  // namespace inlay
