// UniPELT: Mao et al. 2021, arXiv:2110.07577, section 3: prefix tuning, a bottleneck and LoRA
// together, each with a gate that an example sets, with AdapterHub's sizes.
#include "adapters/union_method.h"

namespace inlay {

const MethodInfo& method_unipelt() {
  static const MethodInfo info{
      .name = "unipelt",
      .summary = "Prefix tuning, bottlenecks and LoRA together, each gated by the example.",
      .citation = "arXiv:2110.07577",
      .example = "unipelt",
      .format = AdapterFormat::kNative,
      .learning_rate = 2e-3,
      .epochs = 5,
      .make = []() {
        return make_union(
            {"prefix_tuning[num_virtual_tokens=10,prefix_projection=true,use_gating=true]",
             "bottleneck[reduction_factor=16,use_gating=true]",
             "lora[r=8,alpha=2,target_modules=,use_gating=true]"});
      }};
  return info;
}

}  // namespace inlay
