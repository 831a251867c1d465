// Reads and writes the state dicts of torch.save (since PyTorch 1.6): a zip archive of a pickle and
// of one file per storage. Reading builds tensors and nothing else; no code in the file is run.
//
//   TorchFile file = TorchFile::open("pytorch_adapter.bin");
//   Tensor down = file.tensor("bert.encoder.layer.0.output.adapters.a.adapter_down.0.weight");
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"
#include "tensor/tensor.h"

namespace inlay {

class TorchFile {
 public:
  static TorchFile open(const std::filesystem::path& path);
  // The same for bytes in memory, which the file then owns.
  static TorchFile parse(std::string bytes, std::string where);

  std::vector<std::string> names() const;  // in the order of the file
  bool contains(std::string_view name) const;
  // Borrows the file's bytes where they lie contiguous and aligned, copies them where not.
  Tensor tensor(std::string_view name) const;

 private:
  struct Contents;
  explicit TorchFile(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}
  std::shared_ptr<const Contents> contents_;
};

// Writes a file that torch.load reads as a dict of contiguous tensors, atomically. Equal tensors
// give equal bytes.
void write_torch(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

}  // namespace inlay
