// Hooks that mix what several adapters give at one site: the weighted mean, one of them by the
// token's place, or a trained attention. Each child sees what came before as if it were alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/method.h"
#include "adapters/stack_hook.h"

namespace inlay {

// A null hook among `hooks` leaves its share to what the site gave before. kUsage naming the site
// where one of them can only be used alone (virtual tokens, extra keys, tensors of its own).
// y = sum_i weights[i] adapted_i(x); weights have sum 1.
std::unique_ptr<SiteHook> make_average_hook(const Site& site, Hooks hooks,
                                            std::vector<double> weights);

// adapted_i for the token positions from ends[i-1] to ends[i], the last one for the rest.
std::unique_ptr<SiteHook> make_split_hook(const Site& site, Hooks hooks, std::vector<int64_t> ends);

// AdapterFusion, Pfeiffer et al. 2021, arXiv:2005.00247, eq. (3): with q = W_q h + b_q,
// k_n = W_k v_n + b_k and p = softmax_n(q . k_n), adds sum_n p_n W_v v_n, where v_n is what adapter
// n would add. h is the block's output, after the block's norm where the adapters read it so.
struct FusionTensors {
  Parameter &query_weight, &query_bias, &key_weight, &key_bias, &value_weight;
};
// W_q and W_k from N(0, 0.02^2), W_v the identity and 1e-6 beside its diagonal. `name` begins the
// parts' names: "fusion.query.weight".
FusionTensors make_fusion_tensors(const Site& site, ParameterMaker& make, const std::string& name);
// REQUIRES: every hook adds to this hidden site.
std::unique_ptr<SiteHook> make_fusion_hook(const Site& site, const FusionTensors& tensors,
                                           Hooks hooks, bool norm_first);

}  // namespace inlay
