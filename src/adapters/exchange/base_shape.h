// What a conversion may need to know of the base, from its config.json or from the caller: never
// its weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace inlay::exchange {

struct BaseShape {
  std::string model_type;  // "llama"; empty: not known
  std::string model_name;  // the folder's
  int64_t heads = 0;       // 0: not known, as below
  int64_t kv_heads = 0;
  int64_t layers = 0;
  std::optional<bool> biases;  // whether the adapted layers have any
};

// From the config.json of a model's folder, or from the metadata of a GGUF file.
BaseShape read_base_shape(const std::filesystem::path& folder);

}  // namespace inlay::exchange
