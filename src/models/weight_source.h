// Hands a checkpoint's tensors to a model under their names, checks shapes, and remembers what was
// taken: at the end every tensor was used, belongs to a head that was not asked for, or is an
// error.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"
#include "nn/modules.h"

namespace inlay {

class WeightSource {
 public:
  // `prefix` is what the family's tensors carry in a model with a head ("bert."), and lack in a
  // bare one; `where` is the model's folder, for messages.
  WeightSource(std::shared_ptr<const Checkpoint> checkpoint, std::string prefix, std::string where);

  bool contains(std::string_view name) const;  // `name` without the prefix
  // The tensor of this shape, as mapped. A missing tensor or another shape is kInput; the message
  // names it.
  Tensor take(const std::string& name, const Shape& shape);
  // A linear layer `name`.weight (out, in) and `name`.bias, whose pages are dropped once packed.
  FrozenWeight take_linear(const std::string& name, int64_t in, int64_t out, Site& site);
  // Fills a norm from `name`.weight and `name`.bias, or from the old names gamma and beta.
  void take_norm(const std::string& name, int64_t channels, NormSite& norm);

  // Every tensor must have been taken, or begin with one of `other_heads` (reported through
  // unused()).
  void finish(std::span<const std::string> other_heads);
  // Names, with prefix, of tensors that belong to heads that were not asked for.
  const std::vector<std::string>& unused() const { return unused_; }
  const Checkpoint& checkpoint() const { return *checkpoint_; }
  const std::string& where() const { return where_; }

 private:
  std::string full_name(std::string_view name) const;

  std::shared_ptr<const Checkpoint> checkpoint_;
  std::string prefix_;
  std::string where_;
  std::set<std::string, std::less<>> taken_;
  std::vector<std::string> unused_;
};

}  // namespace inlay
