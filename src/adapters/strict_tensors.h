// The tensors of an adapter file on their way into parameters. What is missing, left over or of
// another shape is collected, and told in one error at the end.
//
//   StrictTensors tensors = StrictTensors::open(folder / "adapter_model.safetensors");
//   for (Adapter::Entry& entry : adapter->entries()) tensors.fill(key_of(entry), entry.parameter);
//   tensors.finish();
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "autograd/parameter.h"

namespace inlay {

class StrictTensors {
 public:
  // A safetensors file, or by any other ending a torch state dict.
  static StrictTensors open(const std::filesystem::path& path);

  // Whether any tensor's name begins so.
  bool any_under(const std::string& beginning) const;
  // The outputs of a linear layer (outputs, inputs); kInput when there is no such tensor.
  int64_t outputs_of(const std::string& name, int64_t inputs) const;

  void fill(const std::string& name, Parameter& parameter) {
    fill(name, parameter, parameter.shape());
  }
  // Of another shape in the file, with as many values.
  void fill(const std::string& name, Parameter& parameter, const Shape& shape);
  // Forgets a tensor that is there under another name too, bit for bit; one that differs, or whose
  // other name is not there, is told by finish(). `other_name`: of a tensor's name; empty: none.
  void drop_copies(const std::function<std::string(const std::string&)>& other_name);
  // kInput with everything that differs, unless every tensor was used and every fill() found its
  // own.
  void finish();

 private:
  std::string where_;
  std::map<std::string, Tensor> tensors_;
  std::set<std::string> used_;
  std::vector<std::string> problems_;
};

}  // namespace inlay
