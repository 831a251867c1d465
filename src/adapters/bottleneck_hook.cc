#include "adapters/bottleneck_hook.h"

#include <utility>
#include <vector>

#include "autograd/ops/add.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/example_scale.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/scale_channels.h"
#include "nn/modules.h"

namespace inlay {
namespace {

class BottleneckHook : public SiteHook {
 public:
  BottleneckHook(const Bottleneck& tensors, const BottleneckWiring& wiring,
                 const std::string& site_name)
      : tensors_(tensors),
        wiring_(wiring),
        dropout_stream_("dropout/bottleneck/" + site_name),
        depth_stream_("stochastic_depth/bottleneck/" + site_name) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    Variable u = input(context, block);
    return with_residual(context, block, u, network(context, u));
  }

 private:
  Variable network(Context& context, const Variable& u) const {
    LinearWeights down{.weight = &tensors_.down_weight.current(), .bias = &tensors_.down_bias};
    LinearWeights up{.weight = &tensors_.up_weight.current(), .bias = &tensors_.up_bias};
    Variable z = inlay::linear(context, u, down, Precision::kCompute);
    z = inlay::linear(context, activation(context, z, wiring_.activation), up, Precision::kFull);
    z = dropout(context, scaled(context, drop_examples(context, z)), wiring_.dropout,
                dropout_stream_);
    return tensors_.gate.has_value() ? tensors_.gate->apply(context, u, z) : z;
  }

  Variable scaled(Context& context, const Variable& z) const {
    if (tensors_.scaling == nullptr)
      return wiring_.scaling == 1 ? z : scale(context, z, wiring_.scaling);
    bool one = tensors_.scaling->value().count() == 1;
    return one ? scale(context, z, *tensors_.scaling)
               : scale_channels(context, z, *tensors_.scaling);
  }

  // Huang et al. 2016, arXiv:1603.09382, drawn per example as a function of its place.
  Variable drop_examples(Context& context, const Variable& z) const {
    if (!context.training || wiring_.stochastic_depth == 0) return z;
    const RowSpace& rows = *z.row_space();
    Stream stream(context.seed, depth_stream_);
    std::vector<double> factors;
    factors.reserve(rows.example_offsets.size());
    for (std::size_t e = 0; e + 1 < rows.example_offsets.size(); ++e) {
      auto first = static_cast<std::size_t>(rows.example_offsets[e]);
      bool empty = rows.example_offsets[e] == rows.example_offsets[e + 1];
      auto place = static_cast<uint64_t>(empty ? 0 : rows.example_place[first]);
      bool kept = stream.uniform(uint64_t{context.step} << 32 | place) >= wiring_.stochastic_depth;
      factors.push_back(kept ? 1 / (1 - wiring_.stochastic_depth) : 0);
    }
    return scale_examples(context, z, std::move(factors));
  }

  // The block's own norm is applied twice where the network reads its result: here as the base
  // holds it, and after the addition by the block.
  Variable input(Context& context, const HiddenBlock& block) const {
    if (wiring_.input == BottleneckInput::kBlockInput) return block.input;
    if (wiring_.input == BottleneckInput::kOutput) return block.output;
    if (block.norm == nullptr) return add(context, block.output, block.residual);
    const NormSite& norm = *block.norm;
    return layer_norm(context, block.output, block.residual,
                      {.gamma = norm.gamma, .beta = norm.beta, .eps = norm.eps});
  }

  // z + r - h: what is added to h.
  Variable with_residual(Context& context, const HiddenBlock& block, const Variable& u,
                         Variable z) const {
    if (wiring_.residual == BottleneckResidual::kOutput) return z;
    if (wiring_.residual == BottleneckResidual::kSum) return add(context, z, block.residual);
    return add_scaled(context, add(context, z, u), block.output, -1);
  }

  Bottleneck tensors_;
  BottleneckWiring wiring_;
  std::string dropout_stream_, depth_stream_;
};

}  // namespace

std::unique_ptr<SiteHook> make_bottleneck_hook(const Bottleneck& tensors,
                                               const BottleneckWiring& wiring,
                                               const std::string& site_name) {
  return std::make_unique<BottleneckHook>(tensors, wiring, site_name);
}

}  // namespace inlay
