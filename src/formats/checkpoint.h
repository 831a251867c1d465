// The weights of a Hugging Face model folder: model.safetensors, or the shards that
// model.safetensors.index.json names. Opening reads the headers only; index and shards must agree
// about every tensor.
//
//   Checkpoint weights = Checkpoint::open("models/bert");
//   Tensor query = weights.tensor("encoder.layer.0.attention.self.query.weight");
//   std::string identity = weights.root_hash();
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

namespace inlay {

class Checkpoint {
 public:
  static Checkpoint open(const std::filesystem::path& folder);

  std::vector<std::string> names() const;  // sorted
  bool contains(std::string_view name) const;
  // As SafetensorsFile: an entry or tensor that does not exist is kInput.
  const SafetensorsEntry& entry(std::string_view name) const;
  Tensor tensor(std::string_view name) const;
  void drop_pages(std::string_view name) const;

  // The SHA-256 of "<dtype> [<size>,<size>,...]\n" and the raw little-endian bytes, in hexadecimal:
  // the text for a matrix is "F32 [2,3]\n", for a scalar "F32 []\n". Reads in pieces and drops
  // their pages.
  std::string tensor_hash(std::string_view name) const;
  // The SHA-256 of the JSON object that maps every name to its tensor_hash, keys sorted, without
  // spaces. It does not depend on how the tensors are spread over files.
  std::string root_hash() const;

 private:
  const SafetensorsFile& file_of(std::string_view name) const;

  std::filesystem::path folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, std::size_t, std::less<>> index_;  // name to file
};

}  // namespace inlay
