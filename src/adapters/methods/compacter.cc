// Compacter: Karimi Mahabadi et al. 2021, arXiv:2106.04647: bottlenecks whose weights are sums of
// Kronecker products (phm_layer.h), the left factors shared by all layers, the right ones of low
// rank. The right factors start Glorot-uniform, as paper and documentation say.
#include "adapters/adapterhub_bottleneck.h"
#include "adapters/bottleneck_method.h"

namespace inlay {

const MethodInfo& method_compacter() {
  static const MethodInfo info{
      .name = "compacter",
      .summary = "Bottlenecks after both blocks, made from shared Kronecker products.",
      .citation = "arXiv:2106.04647",
      .example = "compacter[reduction_factor=8]",
      .format = AdapterFormat::kAdapterHub,
      .adapterhub = &compacter_adapterhub_form(),
      .learning_rate = 3e-3,
      .epochs = 5,
      .make = []() { return make_bottlenecks("compacter"); }};
  return info;
}

}  // namespace inlay
