#include "models/layer_scale.h"

#include <utility>

#include "autograd/ops/batch_norm.h"
#include "autograd/ops/scale_channels.h"

namespace inlay {

LayerScale make_layer_scale(SiteMaker& make, const std::string& name, int layer, int64_t channels) {
  Site site = make.parameter(name, layer, channels);
  Tensor factors = site.weight.to(DType::kF32);
  return {std::move(site), std::move(factors)};
}

Variable scaled(Context& context, const LayerScale& scale, const Variable& x) {
  Parameter* trained = parameter_replacement(context, scale.site);
  if (trained != nullptr) return scale_channels(context, x, *trained);
  Tensor none = Tensor::zeros(scale.factors.shape(), DType::kF32);
  return channel_affine(context, x, scale.factors, none, Precision::kFull);
}

}  // namespace inlay
