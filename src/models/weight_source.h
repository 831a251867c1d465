// Hands a checkpoint's tensors to a model under their names, checks shapes, and remembers what was
// taken: at the end every tensor was used, belongs to a head that was not asked for, or is an
// error.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/safetensors.h"
#include "nn/modules.h"

namespace inlay {

// How files hold a linear layer.
struct LinearForm {
  int64_t in = 0, out = 0;
  bool bias = true;
  bool in_by_out = false;  // the weight is (in, out), as GPT-2's Conv1D
};

struct NormForm {
  NormKind kind = NormKind::kLayer;
  double eps = 1e-12;
  float offset = 0;  // added to the weight as stored (kRootSquare)
};

// How files hold a convolution.
struct ConvForm {
  ConvShape shape;
  bool bias = false;
  bool same = false;  // see ConvSite
};

// Weights that nobody trained, made as they are asked for (models/new_weights.h).
struct NewWeights {
  double deviation = 0.02;  // of N(0, deviation^2)
  DType dtype = DType::kF32;
  uint64_t seed = 0;
  std::vector<NamedTensor>* made = nullptr;
};

class WeightSource {
 public:
  // `prefix` is what the family's tensors carry in a model with a head ("bert."), and lack in a
  // bare one; `where` is the model's folder or file, for messages.
  WeightSource(std::shared_ptr<const Checkpoint> checkpoint, std::string prefix, std::string where);

  WeightSource(const NewWeights& made, std::string prefix, std::string where);

  // Linear layers from here on are held in fewer bits, where their inputs are whole blocks of the
  // format; their pages of the file are dropped. kUsage once a layer comes that the file itself
  // holds in blocks.
  void quantise(BlockFormat format) { quantised_ = format; }

  bool contains(std::string_view name) const;  // `name` without the prefix
  // The tensor of this shape, as mapped, or of a matrix that the file holds in blocks its values in
  // bf16. A missing tensor or another shape is kInput; the message names it.
  Tensor take(const std::string& name, const Shape& shape);
  // A matrix, (outputs, inputs), that the file holds in blocks; nothing where it holds single
  // elements, or has no such tensor. Another shape is kInput.
  std::optional<QuantisedMatrix> take_quantised(const std::string& name, const Shape& shape);
  // A linear layer `name`.weight and `name`.bias, whose pages are dropped once packed.
  FrozenWeight take_linear(const std::string& name, const LinearForm& form, Site& site);
  // A convolution `name`.weight, (out, in / groups, height, width), and `name`.bias.
  FrozenConv take_conv(const std::string& name, const ConvForm& form, Site& site);
  // Fills a norm from `name`.weight and, for kLayer and kBatch, `name`.bias, or from the old names
  // gamma and beta; for kBatch from running_mean and running_var, too.
  void take_norm(const std::string& name, int64_t channels, const NormForm& form, NormSite& norm);

  // Every tensor must have been taken, begin with one of `other_heads` (reported through unused()),
  // or end with one of `buffers`.
  void finish(std::span<const std::string> other_heads, std::span<const std::string> buffers);
  // Names, with prefix, of tensors that belong to heads that were not asked for.
  const std::vector<std::string>& unused() const { return unused_; }
  const Checkpoint& checkpoint() const { return *checkpoint_; }
  const std::string& where() const { return where_; }

 private:
  std::string full_name(std::string_view name) const;
  Tensor make(const std::string& name, const Shape& shape);
  void check_shape(const std::string& full, const Shape& found, const Shape& expected) const;

  std::shared_ptr<const Checkpoint> checkpoint_;  // null where weights are made
  std::optional<NewWeights> new_;
  std::optional<BlockFormat> quantised_;
  float norm_start_ = 1;  // of the norm that is being made
  std::string prefix_;
  std::string where_;
  std::set<std::string, std::less<>> taken_;
  std::vector<std::string> unused_;
};

}  // namespace inlay
