// A union of methods, as AdapterHub's ConfigUnion: all of them act, and are trained, at once.
#include "adapters/union_method.h"

namespace inlay {

const MethodInfo& method_union() {
  static const MethodInfo info{
      .name = "union",
      .summary = "Several methods at once, written with | between them.",
      .citation = "He et al. 2021, arXiv:2110.04366; Mao et al. 2021, arXiv:2110.07577",
      .example = "lora[r=4]|bottleneck[reduction_factor=8]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 5,
      .make = []() { return make_union({}); }};
  return info;
}

}  // namespace inlay
