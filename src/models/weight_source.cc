#include "models/weight_source.h"

#include <algorithm>
#include <utility>

namespace inlay {
namespace {

// At most this many names in a message; the rest is counted.
constexpr std::size_t kNamesShown = 10;

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i)
    text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kNamesShown) text += fmt::format(" and {} more", names.size() - kNamesShown);
  return text;
}

}  // namespace

WeightSource::WeightSource(std::shared_ptr<const Checkpoint> checkpoint, std::string prefix,
                           std::string where)
    : checkpoint_(std::move(checkpoint)), prefix_(std::move(prefix)), where_(std::move(where)) {}

std::string WeightSource::full_name(std::string_view name) const {
  std::string prefixed = prefix_ + std::string(name);
  return checkpoint_->contains(prefixed) ? prefixed : std::string(name);
}

bool WeightSource::contains(std::string_view name) const {
  return checkpoint_->contains(full_name(name));
}

Tensor WeightSource::take(const std::string& name, const Shape& shape) {
  std::string full = full_name(name);
  require(
      checkpoint_->contains(full), ErrorKind::kInput,
      "{}: the model needs the tensor {} (or {}{}) of shape {}, and its files do not have it; is "
      "config.json the one "
      "that belongs to these weights?",
      where_, name, prefix_, name, shape.text());
  Tensor tensor = checkpoint_->tensor(full);
  require(tensor.shape() == shape, ErrorKind::kInput,
          "{}: {}: found shape {}, expected {} from config.json", where_, full,
          tensor.shape().text(), shape.text());
  require(is_floating(tensor.dtype()), ErrorKind::kInput,
          "{}: {}: found dtype {}, expected F32, BF16 or F16", where_, full,
          dtype_name(tensor.dtype()));
  taken_.insert(full);
  return tensor;
}

FrozenWeight WeightSource::take_linear(const std::string& name, int64_t in, int64_t out,
                                       Site& site) {
  site.weight = take(name + ".weight", {out, in});
  site.bias = take(name + ".bias", {out});
  site.in = in;
  site.out = out;
  auto drop = [checkpoint = checkpoint_, full = full_name(name + ".weight")] {
    checkpoint->drop_pages(full);
  };
  return FrozenWeight(site.weight, site.bias, onednn::Layout::kOutIn, drop);
}

void WeightSource::take_norm(const std::string& name, int64_t channels, NormSite& norm) {
  bool old_names = contains(name + ".gamma");
  norm.site.weight = take(name + (old_names ? ".gamma" : ".weight"), {channels});
  norm.site.bias = take(name + (old_names ? ".beta" : ".bias"), {channels});
  norm.site.in = norm.site.out = channels;
  norm.gamma = norm.site.weight.to(DType::kF32);
  norm.beta = norm.site.bias.to(DType::kF32);
}

void WeightSource::finish(std::span<const std::string> other_heads) {
  std::vector<std::string> unknown;
  for (const std::string& name : checkpoint_->names()) {
    if (taken_.contains(name)) continue;
    bool head = std::any_of(other_heads.begin(), other_heads.end(), [&](const std::string& start) {
      return name.starts_with(start) || name.starts_with(prefix_ + start);
    });
    (head ? unused_ : unknown).push_back(name);
  }
  require(
      unknown.empty(), ErrorKind::kInput,
      "{}: the model's files hold {} tensor(s) that its family does not know: {}; the files and "
      "config.json do not "
      "belong together, or this variant of the family is not supported",
      where_, unknown.size(), listed(unknown));
}

}  // namespace inlay
