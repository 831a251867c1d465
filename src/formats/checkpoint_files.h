// What a checkpoint asks of the files that its tensors lie in: a folder's safetensors files, or a
// GGUF file. Use Checkpoint (checkpoint.h).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/quantised/quantised_matrix.h"
#include "tensor/tensor.h"

namespace inlay {

// A tensor as its file holds it.
struct StoredTensor {
  std::string name;            // the file's own
  std::string_view type;       // "F32", "Q8_0"; static storage
  std::vector<int64_t> sizes;  // outermost first
  std::span<const std::byte> bytes;
};

class CheckpointFiles {
 public:
  virtual ~CheckpointFiles() = default;
  virtual std::vector<std::string> names() const = 0;  // Hugging Face's, sorted
  virtual bool contains(std::string_view name) const = 0;
  // kInput for a tensor that does not exist, here and below.
  virtual StoredTensor stored(std::string_view name) const = 0;
  virtual std::vector<StoredTensor> all_stored() const = 0;
  virtual Tensor tensor(std::string_view name) const = 0;
  virtual std::optional<QuantisedMatrix> quantised(std::string_view name) const = 0;
  // Of a part of a stored tensor's bytes.
  virtual void drop_pages(std::span<const std::byte> part) const = 0;
};

// model.safetensors of a folder, or the shards that model.safetensors.index.json names.
std::shared_ptr<const CheckpointFiles> open_safetensors_folder(const std::filesystem::path& folder);

}  // namespace inlay
