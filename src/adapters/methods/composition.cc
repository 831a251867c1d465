// Compositions of adapters, after AdapterHub's: Pfeiffer et al. 2020, arXiv:2007.07779; fusion:
// arXiv:2005.00247; AdapterDrop: Ruecklé et al. 2021, arXiv:2010.11918.
#include "adapters/composition.h"

namespace inlay {

const MethodInfo& method_composition() {
  static const MethodInfo info{
      .name = "composition",
      .summary = "Several adapters as one: stack, fuse, average, split, drop.",
      .citation = "arXiv:2007.07779, arXiv:2005.00247, arXiv:2010.11918",
      .example = "stack(lora[r=4], bottleneck[preset=parallel])",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 5,
      .make = []() { return make_composition({}); }};
  return info;
}

}  // namespace inlay
