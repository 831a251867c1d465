// Compacter++: Compacter without the bottlenecks after attention, section 4 of arXiv:2106.04647.
#include "adapters/adapterhub_bottleneck.h"
#include "adapters/bottleneck_method.h"

namespace inlay {

const MethodInfo& method_compacter_plus_plus() {
  static const MethodInfo info{.name = "compacter_plus_plus",
                               .summary = "Compacter after the feed-forward part alone.",
                               .citation = "arXiv:2106.04647",
                               .example = "compacter_plus_plus[reduction_factor=8]",
                               .format = AdapterFormat::kAdapterHub,
                               .adapterhub = &compacter_plus_plus_adapterhub_form(),
                               .learning_rate = 3e-3,
                               .epochs = 5,
                               .make = []() { return make_bottlenecks("compacter_plus_plus"); }};
  return info;
}

}  // namespace inlay
