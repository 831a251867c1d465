// Reads and writes GGUF files, the format of llama.cpp. Opening reads the header only and checks
// all of it; a tensor's bytes are touched when they are used. The file is mapped read-only and
// stays mapped while anything borrowed from it lives.
//
//   GgufFile file = GgufFile::open("model.gguf");
//   auto family = file.metadata().get<std::string>("general.architecture");
//   Tensor norm = file.tensor("output_norm.weight");               // F32, F16, BF16, integers
//   QuantisedMatrix query = file.quantised("blk.0.attn_q.weight"); // Q8_0, Q5_0, Q4_K, ...
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "formats/gguf_header.h"
#include "tensor/quantised/quantised_matrix.h"
#include "tensor/tensor.h"

namespace inlay {

class GgufFile {
 public:
  static GgufFile open(const std::filesystem::path& path);
  // The same for bytes in memory, which the file then owns; `where` names them in messages.
  static GgufFile parse(std::string bytes, std::string where);

  const GgufMetadata& metadata() const;
  const std::vector<GgufTensorInfo>& tensors() const;  // in the order of the file
  bool contains(std::string_view name) const;
  // kInput when there is no such tensor; the message says where.
  const GgufTensorInfo& info(std::string_view name) const;

  // A tensor of a plain type: borrows the mapped bytes when they are aligned for it, copies them
  // when not. kInput for a tensor of blocks.
  Tensor tensor(std::string_view name) const;
  // A tensor of blocks, borrowed; dimensions but the innermost become rows. kInput for a plain
  // type, a type that Inlay cannot read, and a tensor of no dimension.
  QuantisedMatrix quantised(std::string_view name) const;
  std::span<const std::byte> raw_bytes(std::string_view name) const;
  // Gives the resident pages of a part of raw_bytes() back to the system.
  void drop_pages(std::span<const std::byte> part) const;

 private:
  struct Contents;
  explicit GgufFile(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}
  std::shared_ptr<const Contents> contents_;
};

struct NamedGgufTensor {
  std::string name;
  std::variant<Tensor, QuantisedMatrix> value;
};

// Writes version 3: metadata and tensors in the order given, so equal arguments give equal bytes.
// The data is aligned to metadata.alignment(). Atomic: a mapped older file stays whole. kUsage for
// what the format cannot hold: types that ggml does not have, names of 64 bytes or more, rank above
// four, text that is not UTF-8.
void write_gguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                std::span<const NamedGgufTensor> tensors);

}  // namespace inlay
