// Reads and writes safetensors files. Opening reads the header only and checks all of it; a
// tensor's bytes are touched when they are used. The file is mapped read-only and stays mapped
// while any tensor borrowed from it lives.
//
//   SafetensorsFile file = SafetensorsFile::open("model.safetensors");
//   Tensor word = file.tensor("embeddings.word_embeddings.weight");
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors_header.h"
#include "tensor/tensor.h"

namespace inlay {

class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path);
  // The same for bytes in memory, which the file then owns; `where` names them in messages.
  static SafetensorsFile parse(std::string bytes, std::string where);

  std::vector<std::string> names() const;  // in the order of the file
  const std::vector<SafetensorsEntry>& entries() const;
  const std::map<std::string, std::string>& metadata() const;
  bool contains(std::string_view name) const;
  // kInput when there is no such tensor; the message says where.
  const SafetensorsEntry& entry(std::string_view name) const;

  // Borrows the mapped bytes when they are aligned for the dtype, copies them when not. kInput for
  // a dtype or rank that Tensor cannot hold, and for a BOOL byte other than 0 and 1.
  Tensor tensor(std::string_view name) const;
  std::span<const std::byte> raw_bytes(std::string_view name) const;
  // Gives the resident pages of a tensor, or of a part of raw_bytes(), back to the system.
  void drop_pages(std::string_view name) const { drop_pages(raw_bytes(name)); }
  void drop_pages(std::span<const std::byte> part) const;

 private:
  struct Contents;
  explicit SafetensorsFile(std::shared_ptr<const Contents> contents)
      : contents_(std::move(contents)) {}
  std::shared_ptr<const Contents> contents_;
};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// Writes a file that is equal, byte for byte, to what the reference writer makes of the same
// tensors: widest dtype first, then by name; the header padded with spaces to a multiple of eight.
// Atomic: a mapped older file stays whole.
void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace inlay
