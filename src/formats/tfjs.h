// Reads the weights of a TensorFlow.js model: model.json lists tensors in the order in which their
// bytes lie in binary files beside it. Only weights are read, never the graph. A tensor that was
// stored as uint8 comes back as float32: w = q * scale + min, with one scale and one min for the
// tensor.
//
//   TfjsWeights weights = TfjsWeights::open("model/model.json");
//   Tensor word = weights.tensor("unknown");
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/json_fwd.h"
#include "tensor/tensor.h"

namespace inlay {

class TfjsWeights {
 public:
  // Checks that the manifest and the sizes of its files agree to the byte.
  static TfjsWeights open(const std::filesystem::path& model_json);

  std::vector<std::string> names() const;  // sorted
  bool contains(std::string_view name) const;
  bool quantised(std::string_view name) const;
  // F32, I32 or BOOL, freshly allocated.
  Tensor tensor(std::string_view name) const;

 private:
  struct Entry {
    Shape shape;
    DType dtype = DType::kF32;
    bool quantised = false;     // stored as one byte per element
    double scale = 1, min = 0;  // of a quantised tensor
    std::size_t group = 0;
    std::size_t begin = 0, bytes = 0;  // within the group's files laid end to end
  };

  // Adds one weight whose bytes begin at `begin` of the last group; returns how many it takes of
  // the `available`.
  std::size_t add(const Json& weight, std::size_t begin, std::size_t available);
  const Entry& entry(std::string_view name) const;
  std::string read(const Entry& entry) const;

  std::string where_;
  std::vector<std::vector<MappedFile>> groups_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace inlay
