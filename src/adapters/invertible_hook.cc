#include "adapters/invertible_hook.h"

#include "autograd/ops/add.h"
#include "autograd/ops/channel_ranges.h"
#include "autograd/ops/linear.h"
#include "nn/context.h"

namespace inlay {
namespace {

class InvertibleHook : public SiteHook {
 public:
  InvertibleHook(const CouplingNetwork& f, const CouplingNetwork& g, Activation activation,
                 int64_t channels)
      : f_(f), g_(g), activation_(activation), first_(channels / 2), last_(channels - first_) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    Variable of_last = network(context, f_, last(context, block.output));
    Variable y1 = add(context, first(context, block.output), of_last);
    return join_channels(context, of_last, network(context, g_, y1));
  }

  Variable inverse(Context& context, const Variable& h) override {
    Variable y1 = first(context, h);
    Variable x2 = add_scaled(context, last(context, h), network(context, g_, y1), -1);
    Variable x1 = add_scaled(context, y1, network(context, f_, x2), -1);
    return join_channels(context, x1, x2);
  }

 private:
  Variable first(Context& context, const Variable& x) const {
    return slice_channels(context, x, 0, first_);
  }
  Variable last(Context& context, const Variable& x) const {
    return slice_channels(context, x, first_, last_);
  }

  Variable network(Context& context, const CouplingNetwork& net, const Variable& u) const {
    LinearWeights down{.weight = &net.down_weight, .bias = &net.down_bias};
    LinearWeights up{.weight = &net.up_weight, .bias = &net.up_bias};
    Variable z = inlay::linear(context, u, down, Precision::kCompute);
    return inlay::linear(context, activation(context, z, activation_), up, Precision::kFull);
  }

  CouplingNetwork f_, g_;
  Activation activation_;
  int64_t first_, last_;
};

}  // namespace

std::unique_ptr<SiteHook> make_invertible_hook(const CouplingNetwork& f, const CouplingNetwork& g,
                                               Activation activation, int64_t channels) {
  return std::make_unique<InvertibleHook>(f, g, activation, channels);
}

}  // namespace inlay
