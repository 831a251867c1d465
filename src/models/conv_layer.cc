#include "models/conv_layer.h"

#include <utility>

namespace inlay {
namespace {

SiteRole role_of(const ConvShape& shape) {
  if (shape.depthwise()) return SiteRole::kDepthwise;
  bool pointwise = shape.kernel_height == 1 && shape.kernel_width == 1 && shape.groups == 1;
  return pointwise ? SiteRole::kPointwise : SiteRole::kOther;
}

}  // namespace

ConvLayer make_conv_layer(SiteMaker& make, const std::string& name, int layer,
                          const ConvLayerForm& form) {
  ConvSite conv = make.conv(name + ".convolution", role_of(form.conv.shape), layer, form.conv);
  NormSite norm = make.norm(name + ".normalization", layer, form.conv.shape.out,
                            {.kind = NormKind::kBatch, .eps = form.eps});
  return {std::move(conv), std::move(norm), form.activation};
}

Variable run(Context& context, const ConvLayer& layer, const Variable& x) {
  Variable y = conv_site(context, layer.conv, x, Precision::kCompute);
  if (layer.activation.has_value())
    return activated_norm_site(context, layer.norm, y, *layer.activation);
  return norm_site(context, layer.norm, y, Variable());
}

}  // namespace inlay
