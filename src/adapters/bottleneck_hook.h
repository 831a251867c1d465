// The network of a bottleneck adapter at one place, and how it is wired into the block there:
//   z = s (W_up f(W_down u + b_down) + b_up), times the gate of the example
// u is what the network reads, r what z is added to; the block's output h becomes z + r.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adapters/example_gate.h"
#include "adapters/method.h"
#include "autograd/ops/activation.h"

namespace inlay {

// A trainable weight, or one that is made from trainable tensors.
class NetworkWeight {
 public:
  NetworkWeight(Parameter& weight) : weight_(&weight) {}
  NetworkWeight(DerivedParameter& made) : made_(&made) {}
  Parameter& current() const { return made_ != nullptr ? made_->current() : *weight_; }

 private:
  Parameter* weight_ = nullptr;
  DerivedParameter* made_ = nullptr;
};

// The tensors of one bottleneck.
struct Bottleneck {
  NetworkWeight down_weight;  // (size, channels)
  Parameter& down_bias;
  NetworkWeight up_weight;  // (channels, size)
  Parameter& up_bias;
  Parameter* scaling = nullptr;  // where it is learned: one factor, or one per channel
  std::optional<ExampleGate> gate;
};

enum class BottleneckInput {
  kOutput,      // u = h
  kNormed,      // u = LN(h + x), the block's own norm, as the base holds it
  kBlockInput,  // u = x, in parallel to the block
};
enum class BottleneckResidual {
  kOutput,  // r = h
  kSum,     // r = h + x
  kInput,   // r = u
};

struct BottleneckWiring {
  Activation activation = Activation::kRelu;
  BottleneckInput input = BottleneckInput::kOutput;
  BottleneckResidual residual = BottleneckResidual::kOutput;
  double scaling = 1;
  double dropout = 0;
  double stochastic_depth = 0;  // probability of leaving z out of an example while training
};

std::unique_ptr<SiteHook> make_bottleneck_hook(const Bottleneck& tensors,
                                               const BottleneckWiring& wiring,
                                               const std::string& site_name);

}  // namespace inlay
