// Bottleneck adapters: a small network beside each block of a layer, with AdapterHub's presets.
//   z = s (W_up f(W_down u + b_down) + b_up), added to the block's output h before h joins the
//   residual x: houlsby   u = h, after attention and feed-forward part     Houlsby et al. 2019,
//   arXiv:1902.00751 pfeiffer  u = LN(h + x), after the feed-forward part       Pfeiffer et al.
//   2020, arXiv:2005.00247 parallel  u = what the block read, with s = 4 or learned   He et al.
//   2021, arXiv:2110.04366
// adapter_plus adds z(y) to what a layer gives, y, with s one factor per channel and examples left
// out at random: Steitz and Roth 2024, arXiv:2406.06820.
// seq_bn_inv is pfeiffer, double_seq_bn_inv is houlsby, with an invertible adapter of the
// embeddings: invertible_hook.h.
#include "adapters/adapterhub_bottleneck.h"
#include "adapters/bottleneck_method.h"

namespace inlay {

const MethodInfo& method_bottleneck() {
  static const MethodInfo info{
      .name = "bottleneck",
      .summary = "Adds a small network after, or beside, each block of a layer.",
      .citation =
          "arXiv:1902.00751, arXiv:2005.00247, arXiv:2110.04366, arXiv:2406.06820, "
          "arXiv:2005.00052, arXiv:1410.8516",
      .example = "bottleneck[preset=pfeiffer,reduction_factor=16]",
      .format = AdapterFormat::kAdapterHub,
      .adapterhub = &bottleneck_adapterhub_form(),
      .learning_rate = 1e-3,
      .epochs = 5,
      .make = []() { return make_bottlenecks("pfeiffer"); }};
  return info;
}

}  // namespace inlay
