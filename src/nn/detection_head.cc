#include "nn/detection_head.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/map_space.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/conv.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/row_ops.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/upsample_map.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

using Parameters = std::deque<Parameter>;

constexpr std::size_t kTowerLayers = 2;
constexpr int64_t kKernel = 3, kEdge = kKernel / 2;
constexpr int64_t kSides = 4;
constexpr float kOutputStd = 0.01f;
constexpr double kPrior = 0.01;  // that a place belongs to an object of some class
constexpr float kNormEps = 1e-6f;

// Names of parameters, without ".weight" and ".bias".
std::string numbered(std::string_view part, std::size_t number) {
  return fmt::format("{}.{}", part, number);
}
std::string lateral(std::size_t level) { return numbered("pyramid.lateral", level); }
std::string lateral_norm(std::size_t level) { return numbered("pyramid.lateral_norm", level); }
std::string smooth(std::size_t level) { return numbered("pyramid.smooth", level); }
std::string tower(std::size_t layer) { return numbered("tower", layer); }
std::string tower_norm(std::size_t layer) { return numbered("tower_norm", layer); }
std::string level_scale(std::size_t level) { return numbered("scale", level); }

void add_weight(Parameters& all, const std::string& name, const Shape& shape, float deviation,
                uint64_t seed) {
  std::string own = name + ".weight";
  Stream stream(seed, "init/head/" + own);
  all.emplace_back(own, normal_init(shape, deviation, stream));
}

void add_constant(Parameters& all, const std::string& name, int64_t count, float value) {
  all.emplace_back(name, constant_init({count}, value));
}

void add_norm(Parameters& all, const std::string& name, int64_t channels) {
  add_constant(all, name + ".weight", channels, 1);
  add_constant(all, name + ".bias", channels, 0);
}

// He et al. 2015, arXiv:1502.01852, eq. 10.
void add_filters(Parameters& all, const std::string& name, int64_t width, uint64_t seed) {
  auto reads = static_cast<float>(kKernel * kKernel * width);
  add_weight(all, name, {width, width, kKernel, kKernel}, std::sqrt(2.0f / reads), seed);
}

// What the bias of classes starts from; sides and centreness start from 0.
Tensor output_bias(int64_t outputs) {
  Tensor bias = Tensor::zeros({outputs}, DType::kF32);
  auto prior = static_cast<float>(-std::log((1 - kPrior) / kPrior));
  std::fill_n(bias.mutable_data<float>(), outputs - kBoxOutputs, prior);
  return bias;
}

// The rows of each example of `first`, then those of `then`.
Variable appended(Context& context, const Variable& first, const Variable& then) {
  const RowSpace& rows = *first.row_space();
  int64_t own = first.rows() / rows.examples(), added = then.rows() / rows.examples();
  return insert_rows(context, first, then, own, context.keep(rows_of_each(rows, own + added)));
}

// The head on its way through one batch.
class Pass {
 public:
  Pass(Context& context, const HeadLayout& layout, Parameters& parameters)
      : context_(context), layout_(layout), parameters_(parameters) {}

  // Every level with what the coarser ones see of the same places.
  std::vector<Variable> pyramid(std::span<const Variable> levels) const {
    std::vector<Variable> maps(levels.size());
    for (std::size_t i = levels.size(); i-- > 0;) {
      Variable own =
          linear(context_, levels[i], {.weight = &of(lateral(i) + ".weight")}, Precision::kFull);
      own = normalised(own, lateral_norm(i));
      bool coarsest = i + 1 == levels.size();
      maps[i] =
          coarsest ? own : add(context_, own, upsample_map(context_, maps[i + 1], own.row_space()));
    }
    for (std::size_t i = 0; i < maps.size(); ++i)
      maps[i] = filtered(maps[i], smooth(i), &of(smooth(i) + ".bias"));
    return maps;
  }

  Variable outputs(const Variable& map, std::size_t level) const {
    Variable x = map;
    for (std::size_t layer = 0; layer < kTowerLayers; ++layer) {
      x = normalised(filtered(x, tower(layer), nullptr), tower_norm(layer));
      x = activation(context_, x, Activation::kRelu);
    }
    LinearWeights last{.weight = &of(layout_.output + ".weight"),
                       .bias = &of(layout_.output + ".bias")};
    Variable all = linear(context_, x, last, Precision::kFull);
    int64_t classes = all.channels() - kBoxOutputs;
    Variable sides =
        scale(context_, slice_channels(context_, all, classes, kSides), of(level_scale(level)));
    Variable centreness = slice_channels(context_, all, classes + kSides, 1);
    return join_channels(context_, slice_channels(context_, all, 0, classes),
                         join_channels(context_, sides, centreness));
  }

 private:
  Parameter& of(const std::string& name) const {
    auto found = std::find_if(parameters_.begin(), parameters_.end(),
                              [&](const Parameter& parameter) { return parameter.name() == name; });
    ensure(found != parameters_.end(), "a detection head without {}", name);
    return *found;
  }

  Variable normalised(const Variable& x, const std::string& name) const {
    return layer_norm(context_, x, Variable(),
                      {.eps = kNormEps,
                       .trained_gamma = &of(name + ".weight"),
                       .trained_beta = &of(name + ".bias")});
  }

  Variable filtered(const Variable& x, const std::string& name, Parameter* bias) const {
    ConvShape shape{.in = layout_.width,
                    .out = layout_.width,
                    .kernel_height = kKernel,
                    .kernel_width = kKernel,
                    .padding = {kEdge, kEdge, kEdge, kEdge}};
    return conv(context_, x, shape, {.weight = &of(name + ".weight"), .bias = bias}, x.row_space(),
                Precision::kFull);
  }

  Context& context_;
  const HeadLayout& layout_;
  Parameters& parameters_;
};

void require_fit(const HeadLayout& layout, std::span<const Variable> levels) {
  require(levels.size() == layout.levels.size(), ErrorKind::kInput,
          "the detection head reads {} maps, and {} are looked at", layout.levels.size(),
          levels.size());
  for (std::size_t i = 0; i < levels.size(); ++i) {
    require(levels[i].channels() == layout.levels[i], ErrorKind::kInput,
            "the detection head reads maps of {} channels at level {}, and this base gives {}; use "
            "the base that it was trained on",
            layout.levels[i], i, levels[i].channels());
  }
}

}  // namespace

std::deque<Parameter> make_detection_parameters(const HeadLayout& layout, int64_t outputs,
                                                uint64_t seed) {
  ensure(!layout.levels.empty() && layout.width > 0, "a detection head without levels");
  ensure(outputs > kBoxOutputs, "{} outputs of a detection head leave none for a class", outputs);
  Parameters all;
  for (std::size_t i = 0; i < layout.levels.size(); ++i) {
    float deviation = std::sqrt(1.0f / static_cast<float>(layout.levels[i]));
    add_weight(all, lateral(i), {layout.width, layout.levels[i]}, deviation, seed);
    add_norm(all, lateral_norm(i), layout.width);
    add_filters(all, smooth(i), layout.width, seed);
    add_constant(all, smooth(i) + ".bias", layout.width, 0);
    add_constant(all, level_scale(i), 1, 1);
  }
  for (std::size_t layer = 0; layer < kTowerLayers; ++layer) {
    add_filters(all, tower(layer), layout.width, seed);
    add_norm(all, tower_norm(layer), layout.width);
  }
  add_weight(all, layout.output, {outputs, layout.width}, kOutputStd, seed);
  all.emplace_back(layout.output + ".bias", output_bias(outputs));
  return all;
}

Variable detection_logits(Context& context, const HeadLayout& layout,
                          std::deque<Parameter>& parameters, std::span<const Variable> levels) {
  require_fit(layout, levels);
  Pass pass(context, layout, parameters);
  std::vector<Variable> maps = pass.pyramid(levels);
  Variable all = pass.outputs(maps[0], 0);
  for (std::size_t i = 1; i < maps.size(); ++i)
    all = appended(context, all, pass.outputs(maps[i], i));
  return all;
}

}  // namespace inlay
