// The weights of a base under Hugging Face's names: of a model folder (model.safetensors, or the
// shards that model.safetensors.index.json names), or of a GGUF file. Opening reads the headers
// only; index and shards must agree about every tensor.
//
//   Checkpoint weights = Checkpoint::open("models/bert");
//   Tensor query = weights.tensor("encoder.layer.0.attention.self.query.weight");
//   std::string identity = weights.root_hash();
//
// Handles are cheap: a copy shares the files.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/checkpoint_files.h"

namespace inlay {

class Checkpoint {
 public:
  // A folder, or a file that ends in ".gguf" (formats/gguf_checkpoint.h).
  static Checkpoint open(const std::filesystem::path& model);

  std::vector<std::string> names() const { return files_->names(); }  // sorted
  bool contains(std::string_view name) const { return files_->contains(name); }
  // A tensor that does not exist is kInput, here and below.
  StoredTensor stored(std::string_view name) const { return files_->stored(name); }
  // In Hugging Face's layout. kInput for a tensor of blocks.
  Tensor tensor(std::string_view name) const { return files_->tensor(name); }
  // A matrix that the file holds in blocks, (outputs, inputs), as it lies there; nothing where it
  // holds single elements.
  std::optional<QuantisedMatrix> quantised(std::string_view name) const {
    return files_->quantised(name);
  }
  void drop_pages(std::string_view name) const { files_->drop_pages(stored(name).bytes); }

  // The SHA-256 of "<type> [<size>,<size>,...]\n" and the raw little-endian bytes, in hexadecimal,
  // all as the file has them: the text for a matrix is "F32 [2,3]\n", for a scalar "F32 []\n", for
  // one of 2 rows in blocks "Q8_0 [2,32]\n". Reads in pieces and drops their pages.
  std::string tensor_hash(std::string_view name) const;
  // The SHA-256 of the JSON object that maps the file's own name of every tensor to its
  // tensor_hash, keys sorted, without spaces. It does not depend on how the tensors are spread over
  // files.
  std::string root_hash() const;

 private:
  explicit Checkpoint(std::shared_ptr<const CheckpointFiles> files) : files_(std::move(files)) {}
  std::string hash_of(const StoredTensor& tensor) const;

  std::shared_ptr<const CheckpointFiles> files_;
};

}  // namespace inlay
