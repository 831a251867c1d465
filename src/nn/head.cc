#include "nn/head.h"

#include <array>

#include "autograd/ops/dropout.h"
#include "nn/cosine_output.h"
#include "nn/detection_head.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr std::array<std::string_view, 6> kInputs = {"pooler", "first", "mean",
                                                     "tokens", "last",  "pyramid"};
constexpr const char* kEmbedding = "embedding";
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
  if (layout_.input == HeadInput::kPyramid) {
    parameters_ = make_detection_parameters(layout_, outputs, seed);
    return;
  }
  for (const HeadDense& dense : layout_.dense) add_linear(dense.name, hidden, hidden, true, seed);
  if (layout_.embedding > 0) add_linear(kEmbedding, hidden, layout_.embedding, true, seed);
  int64_t read = layout_.embedding > 0 ? layout_.embedding : hidden;
  add_linear(layout_.output, read, outputs, layout_.output_bias, seed);
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
  ensure(layout_.input != HeadInput::kPyramid, "a head that reads a pyramid was given rows");
  Variable x = pooled;
  std::size_t next = 0;  // parameter
  auto layer = [&](bool bias) {
    LinearWeights weights{.weight = &parameters_[next],
                          .bias = bias ? &parameters_[next + 1] : nullptr};
    next += bias ? 2 : 1;
    return weights;
  };
  for (std::size_t i = 0; i < layout_.dense.size(); ++i) {
    if (i > 0 || layout_.dropout_first)
      x = inlay::dropout(context, x, dropout_, fmt::format("dropout/head/{}", i));
    x = activation(context, linear(context, x, layer(true), Precision::kFull),
                   layout_.dense[i].activation);
  }
  x = inlay::dropout(context, x, dropout_, fmt::format("dropout/head/{}", layout_.dense.size()));
  if (layout_.embedding > 0) x = linear(context, x, layer(true), Precision::kFull);
  if (layout_.cosine) return cosine_output(context, x, parameters_[next]);
  return linear(context, x, layer(layout_.output_bias), Precision::kFull);
}

Variable Head::pyramid_logits(Context& context, std::span<const Variable> levels) {
  ensure(layout_.input == HeadInput::kPyramid, "a head that reads rows was given a pyramid");
  return detection_logits(context, layout_, parameters_, levels);
}

}  // namespace inlay
