// The mix-and-match adapter: He et al. 2021, arXiv:2110.04366, section 4.6: prefix tuning of
// attention and a scaled parallel bottleneck at the feed-forward part, with AdapterHub's sizes.
#include "adapters/union_method.h"

namespace inlay {

const MethodInfo& method_mam() {
  static const MethodInfo info{
      .name = "mam",
      .summary = "Mix-and-match: prefix tuning and parallel bottlenecks together.",
      .citation = "arXiv:2110.04366",
      .example = "mam",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-3,
      .epochs = 5,
      .make = []() {
        return make_union(
            {"prefix_tuning[num_virtual_tokens=30,prefix_projection=true,encoder_hidden_size=800]",
             "bottleneck[preset=parallel]"});
      }};
  return info;
}

}  // namespace inlay
