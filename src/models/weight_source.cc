#include "models/weight_source.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "autograd/ops/folded_norm.h"
#include "nn/initializers.h"

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

WeightSource::WeightSource(const NewWeights& made, std::string prefix, std::string where)
    : new_(made), prefix_(std::move(prefix)), where_(std::move(where)) {}

// Biases are 0, norms leave their input as it is, and matrices are drawn, each from a stream of its
// own.
Tensor WeightSource::make(const std::string& name, const Shape& shape) {
  bool head = name.starts_with("lm_head.");
  std::string full = head ? name : prefix_ + name;
  Tensor tensor = Tensor::zeros(shape, DType::kF32);
  if (shape.rank() > 1) {
    tensor = normal_init(shape, static_cast<float>(new_->deviation),
                         Stream(new_->seed, "init/base/" + full));
  } else if (!name.ends_with(".bias") && !name.ends_with(".running_mean")) {
    std::fill_n(tensor.mutable_data<float>(), tensor.count(), norm_start_);
  }
  if (new_->dtype != DType::kF32) tensor = tensor.to(new_->dtype);
  new_->made->push_back({std::move(full), tensor});
  return tensor;
}

std::string WeightSource::full_name(std::string_view name) const {
  std::string prefixed = prefix_ + std::string(name);
  return checkpoint_->contains(prefixed) ? prefixed : std::string(name);
}

bool WeightSource::contains(std::string_view name) const {
  if (new_.has_value()) return false;
  return checkpoint_->contains(full_name(name));
}

void WeightSource::check_shape(const std::string& full, const Shape& found,
                               const Shape& expected) const {
  if (found == expected) return;
  const std::string own = checkpoint_->stored(full).name;
  require(own != full, ErrorKind::kInput, "{}: {}: found shape {}, expected {} from config.json",
          where_, full, found.text(), expected.text());
  fail(ErrorKind::kInput, "{}: {} ({}): found shape {}, expected {} from its metadata", where_,
       full, own, found.text(), expected.text());
}

std::optional<QuantisedMatrix> WeightSource::take_quantised(const std::string& name,
                                                            const Shape& shape) {
  if (!contains(name)) return std::nullopt;
  std::string full = full_name(name);
  std::optional<QuantisedMatrix> matrix = checkpoint_->quantised(full);
  if (!matrix.has_value()) return std::nullopt;
  check_shape(full, Shape{matrix->rows(), matrix->columns()}, shape);
  taken_.insert(full);
  return matrix;
}

Tensor WeightSource::take(const std::string& name, const Shape& shape) {
  if (new_.has_value()) return make(name, shape);
  if (auto matrix = take_quantised(name, shape)) return matrix->dequantised(DType::kBF16);
  std::string full = full_name(name);
  require(
      checkpoint_->contains(full), ErrorKind::kInput,
      "{}: the model needs the tensor {} (or {}{}) of shape {}, and its files do not have it; is "
      "config.json the one "
      "that belongs to these weights?",
      where_, name, prefix_, name, shape.text());
  Tensor tensor = checkpoint_->tensor(full);
  check_shape(full, tensor.shape(), shape);
  require(is_floating(tensor.dtype()), ErrorKind::kInput,
          "{}: {}: found dtype {}, expected F32, BF16 or F16", where_, full,
          dtype_name(tensor.dtype()));
  taken_.insert(full);
  return tensor;
}

FrozenWeight WeightSource::take_linear(const std::string& name, const LinearForm& form,
                                       Site& site) {
  site.in = form.in;
  site.out = form.out;
  site.in_by_out = form.in_by_out;
  if (auto matrix = take_quantised(name + ".weight", {form.out, form.in})) {
    require(!quantised_.has_value(), ErrorKind::kUsage,
            "{}: {} is held as {} by the file already; leave quantise out", where_, name,
            matrix->format_name());
    site.quantised = std::make_shared<const QuantisedMatrix>(std::move(*matrix));
    if (form.bias) site.bias = take(name + ".bias", {form.out});
    return FrozenWeight(*site.quantised, site.bias);
  }
  site.weight =
      take(name + ".weight", form.in_by_out ? Shape{form.in, form.out} : Shape{form.out, form.in});
  if (form.bias) site.bias = take(name + ".bias", {form.out});
  std::function<void()> drop;
  if (checkpoint_ != nullptr) {
    drop = [checkpoint = checkpoint_, full = full_name(name + ".weight")] {
      checkpoint->drop_pages(full);
    };
  }
  if (quantised_.has_value() && form.in % block_format_info(*quantised_).block_length == 0) {
    site.quantised = std::make_shared<const QuantisedMatrix>(
        QuantisedMatrix::quantise(out_by_in(site), *quantised_));
    if (drop) drop();
    return FrozenWeight(*site.quantised, site.bias);
  }
  return FrozenWeight(site.weight, site.bias,
                      form.in_by_out ? onednn::Layout::kInOut : onednn::Layout::kOutIn, drop);
}

FrozenConv WeightSource::take_conv(const std::string& name, const ConvForm& form, Site& site) {
  site.in = form.shape.in;
  site.out = form.shape.out;
  site.conv = form.shape;
  site.weight = take(name + ".weight", form.shape.weight_shape());
  if (form.bias) site.bias = take(name + ".bias", {form.shape.out});
  return FrozenConv(form.shape, site.weight, site.bias);
}

void WeightSource::take_norm(const std::string& name, int64_t channels, const NormForm& form,
                             NormSite& norm) {
  bool old_names = contains(name + ".gamma");
  norm.kind = form.kind;
  norm.eps = static_cast<float>(form.eps);
  norm.offset = form.offset;
  norm_start_ = 1 - form.offset;
  norm.site.weight = take(name + (old_names ? ".gamma" : ".weight"), {channels});
  norm.site.in = norm.site.out = channels;
  norm.gamma = norm.site.weight.to(DType::kF32);
  if (form.kind == NormKind::kRootSquare) return;
  norm.site.bias = take(name + (old_names ? ".beta" : ".bias"), {channels});
  norm.beta = norm.site.bias.to(DType::kF32);
  if (form.kind != NormKind::kBatch) return;
  norm.site.mean = take(name + ".running_mean", {channels});
  norm.site.variance = take(name + ".running_var", {channels});
  FoldedNorm folded = folded_norm(norm.site.mean, norm.site.variance, static_cast<double>(norm.eps),
                                  norm.gamma, norm.beta, DType::kF32);
  norm.scale = folded.scale;
  norm.shift = folded.shift;
}

void WeightSource::finish(std::span<const std::string> other_heads,
                          std::span<const std::string> buffers) {
  std::vector<std::string> unknown;
  for (const std::string& name : checkpoint_->names()) {
    auto ends_name = [&](const std::string& end) { return name.ends_with(end); };
    if (taken_.contains(name) || std::any_of(buffers.begin(), buffers.end(), ends_name)) continue;
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
