// Mona: Yin et al. 2024, arXiv:2408.08345: after each block of a layer, on the sum x of its output
// and the residual:
//   u = s1 * LN(x) + s2 * x
//   z = W_down u + b_down
//   z = z + (K3 * z + K5 * z + K7 * z) / 3      depthwise, 3 x 3, 5 x 5 and 7 x 7
//   x + W_up gelu(z + W z + b) + b_up
// As in the authors' code s1 starts at 1e-6 and s2 at 1. W_up starts at zero here, so that a fresh
// adapter is the identity, which theirs is not. A class token is seen as an image of one place.
#include <array>
#include <string>

#include "adapters/block_sites.h"
#include "adapters/map_rows.h"
#include "adapters/method.h"
#include "adapters/targeted_method.h"
#include "autograd/ops/activation.h"
#include "autograd/ops/add.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/scale_channels.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr int64_t kWidest = 4096;
constexpr float kEps = 1e-5f;
constexpr float kNormedShare = 1e-6f;
constexpr std::array<int64_t, 3> kKernels = {3, 5, 7};

// A weight and its bias.
struct Layer {
  Parameter& weight;
  Parameter& bias;

  LinearWeights as_linear() const { return {.weight = &weight, .bias = &bias}; }
};

struct Network {
  Layer norm;
  Parameter& normed_share;  // s1
  Parameter& plain_share;   // s2
  Layer down;
  std::array<Layer, kKernels.size()> filters;  // (dim, 1, k, k)
  Layer projector;                             // (dim, dim)
  Layer up;
};

class MonaHook : public SiteHook {
 public:
  MonaHook(const Network& network, double dropout, const std::string& site_name)
      : network_(network), dropout_(dropout), stream_("dropout/mona/" + site_name) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    Variable u = normalised(context, add(context, block.output, block.residual));
    Variable z = inlay::linear(context, u, network_.down.as_linear(), Precision::kFull);
    Variable seen =
        over_maps(context, z, [&](const Variable& maps) { return filtered(context, maps); });
    z = add_scaled(context, z, seen, 1.0 / static_cast<double>(kKernels.size()));
    z = add(context, z,
            inlay::linear(context, z, network_.projector.as_linear(), Precision::kFull));
    z = dropout(context, activation(context, z, Activation::kGelu), dropout_, stream_);
    return inlay::linear(context, z, network_.up.as_linear(), Precision::kFull);
  }

 private:
  Variable normalised(Context& context, const Variable& x) const {
    NormWeights weights{
        .eps = kEps, .trained_gamma = &network_.norm.weight, .trained_beta = &network_.norm.bias};
    Variable normed = layer_norm(context, x, Variable(), weights);
    return add(context, scale_channels(context, normed, network_.normed_share),
               scale_channels(context, x, network_.plain_share));
  }

  // The sum of what the filters give.
  Variable filtered(Context& context, const Variable& maps) const {
    Variable sum;
    for (std::size_t i = 0; i < kKernels.size(); ++i) {
      int64_t size = kKernels.at(i), edge = size / 2;
      ConvShape shape{.in = maps.channels(),
                      .out = maps.channels(),
                      .kernel_height = size,
                      .kernel_width = size,
                      .groups = maps.channels(),
                      .padding = {edge, edge, edge, edge}};
      const Layer& filters = network_.filters.at(i);
      Variable part =
          inlay::conv(context, maps, shape, {.weight = &filters.weight, .bias = &filters.bias},
                      maps.row_space(), Precision::kFull);
      sum = sum.defined() ? add(context, sum, part) : part;
    }
    return sum;
  }

  Network network_;
  double dropout_;
  std::string stream_;
};

// The tensors of one place, named after the layers.
class NetworkMaker {
 public:
  NetworkMaker(const Site& site, int64_t dim, ParameterMaker& make)
      : site_(site), dim_(dim), make_(make) {}

  Network network() const {
    int64_t channels = site_.out;
    return {{constant("norm.weight", {channels}, 1), constant("norm.bias", {channels}, 0)},
            constant("normed_share", {channels}, kNormedShare),
            constant("plain_share", {channels}, 1),
            drawn("down", {dim_, channels}, {dim_, channels}),
            {filters(0), filters(1), filters(2)},
            drawn("projector", {dim_, dim_}, {dim_, dim_}),
            {constant("up.weight", {channels, dim_}, 0), constant("up.bias", {channels}, 0)}};
  }

 private:
  Parameter& constant(const std::string& part, const Shape& shape, float value) const {
    return make_.make(site_, "mona." + part, constant_init(shape, value));
  }

  // `matrix` is (out, in) for the initial values of a weight of this shape.
  Layer drawn(const std::string& layer, const Shape& shape, const Shape& matrix) const {
    std::string part = "mona." + layer + ".weight";
    Tensor start = kaiming_uniform_init(matrix, make_.stream(site_, part)).reshaped(shape);
    Parameter& weight = make_.make(site_, part, std::move(start));
    return {weight, constant(layer + ".bias", {dim_}, 0)};
  }

  Layer filters(std::size_t number) const {
    int64_t size = kKernels.at(number);
    return drawn("conv" + std::to_string(size), {dim_, 1, size, size}, {dim_, size * size});
  }

  const Site& site_;
  int64_t dim_;
  ParameterMaker& make_;
};

class Mona : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("dim", dim_, "channels of the bottleneck");
    visit("dropout", dropout_, "probability of dropping a channel of it while training");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(dim_ >= 1 && dim_ <= kWidest, ErrorKind::kUsage, "mona: dim is {}; expected 1 to {}",
            dim_, kWidest);
    check_probability("mona: dropout", dropout_);
    require_images(base, "mona", "bottleneck");
    return block_sites(base, {SiteRole::kAttentionBlock, SiteRole::kFeedForwardBlock}, "mona");
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    return std::make_unique<MonaHook>(NetworkMaker(site, dim_, make).network(), dropout_,
                                      site.name);
  }

 private:
  int64_t dim_ = 64;
  double dropout_ = 0.1;
};

}  // namespace

const MethodInfo& method_mona() {
  static const MethodInfo info{
      .name = "mona",
      .summary = "Adds a small network of depthwise filters after each block of a layer.",
      .citation = "arXiv:2408.08345",
      .example = "mona[dim=64]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Mona>(); }};
  return info;
}

}  // namespace inlay
