// The tensors of an adapter's file, taken out one by one, so that what nobody took is known at the
// end: a key of another method or a misspelt one is an error, never ignored.
//
//   TensorPile pile = TensorPile::open(folder / "adapters.safetensors");
//   Tensor a = pile.take("model.layers.0.self_attn.q_proj.lora_a");
//   pile.finish("mlx-lm's LoRA");
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace inlay::exchange {

class TensorPile {
 public:
  // A safetensors file, or by any other ending a torch state dict; of that only tensors are read,
  // and nothing in it is executed.
  static TensorPile open(const std::filesystem::path& path);
  // The first of `names` that the folder has; kInput naming them all when there is none.
  static TensorPile open_first(const std::filesystem::path& folder,
                               const std::vector<std::string>& names);

  const std::string& where() const { return where_; }
  std::vector<std::string> names() const;  // of those that are left
  // What stands before `end` in the names that have it; each once.
  std::set<std::string> stems(const std::string& end) const;
  bool contains(const std::string& name) const { return tensors_.contains(name); }
  // The tensor, which is then no longer there. A missing one is noted for finish() and undefined.
  Tensor take(const std::string& name);
  // Undefined when there is none.
  Tensor take_if_any(const std::string& name);
  // kInput listing what is missing and what is left over.
  void finish(const std::string& format);

 private:
  std::string where_;
  std::map<std::string, Tensor> tensors_;
  std::vector<std::string> problems_;
};

}  // namespace inlay::exchange
