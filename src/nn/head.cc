#include "nn/head.h"

#include <array>

#include "autograd/ops/dropout.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr std::array<std::string_view, 5> kInputs = {"pooler", "first", "mean", "tokens", "last"};
constexpr float kInitialStd = 0.02f;  // initializer_range of every family's configuration

}  // namespace

std::string_view head_input_name(HeadInput input) {
  return kInputs.at(static_cast<std::size_t>(input));
}

HeadInput head_input_from_name(std::string_view name, std::string_view where) {
  for (std::size_t i = 0; i < kInputs.size(); ++i) {
    if (kInputs[i] == name) return static_cast<HeadInput>(i);
  }
  fail(ErrorKind::kInput,
       "{}: pooling \"{}\" is unknown; expected pooler, first, last, mean or tokens", where, name);
}

Head::Head(HeadLayout layout, int64_t hidden, int64_t outputs, double dropout, uint64_t seed)
    : layout_(std::move(layout)), outputs_(outputs), dropout_(dropout) {
  for (const HeadDense& dense : layout_.dense) add_linear(dense.name, hidden, hidden, true, seed);
  add_linear(layout_.output, hidden, outputs, layout_.output_bias, seed);
}

void Head::add_linear(const std::string& name, int64_t in, int64_t out, bool bias, uint64_t seed) {
  Stream stream(seed, "init/head/" + name + ".weight");
  parameters_.emplace_back(name + ".weight", normal_init({out, in}, kInitialStd, stream));
  if (bias) parameters_.emplace_back(name + ".bias", Tensor::zeros({out}, DType::kF32));
}

int64_t Head::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) count += parameter.value().count();
  return count;
}

Variable Head::logits(Context& context, const Variable& pooled) {
  Variable x = pooled;
  for (std::size_t i = 0; i < layout_.dense.size(); ++i) {
    if (i > 0 || layout_.dropout_first)
      x = inlay::dropout(context, x, dropout_, fmt::format("dropout/head/{}", i));
    LinearWeights weights{.weight = &parameters_[2 * i], .bias = &parameters_[2 * i + 1]};
    x = activation(context, linear(context, x, weights, Precision::kFull),
                   layout_.dense[i].activation);
  }
  std::size_t last = layout_.dense.size();
  x = inlay::dropout(context, x, dropout_, fmt::format("dropout/head/{}", last));
  LinearWeights output{.weight = &parameters_[2 * last],
                       .bias = layout_.output_bias ? &parameters_[2 * last + 1] : nullptr};
  return linear(context, x, output, Precision::kFull);
}

}  // namespace inlay
