// A convolution, the batch norm after it and an activation: what CNNs are made of.
#pragma once

#include <optional>
#include <string>

#include "autograd/ops/activation.h"
#include "models/site_maker.h"

namespace inlay {

struct ConvLayer {
  ConvSite conv;
  NormSite norm;
  std::optional<Activation> activation;
};

struct ConvLayerForm {
  ConvForm conv;
  double eps = 1e-5;
  std::optional<Activation> activation;
};

// `name`.convolution and `name`.normalization, as Hugging Face's CNNs name them.
ConvLayer make_conv_layer(SiteMaker& make, const std::string& name, int layer,
                          const ConvLayerForm& form);

// x (places, in) -> (places of the output, out), in the compute type.
Variable run(Context& context, const ConvLayer& layer, const Variable& x);

}  // namespace inlay
