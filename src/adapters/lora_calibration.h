// Starts of LoRA that training batches decide.
#pragma once

#include <map>
#include <vector>

#include "adapters/calibration.h"
#include "adapters/low_rank_start.h"

namespace inlay {

// EVA (Paischer et al. 2024, arXiv:2410.07170): A is made of the right singular vectors of what a
// layer reads, those that explain most of its square sum; over all layers the sum of `ranks` of
// them are kept, by the share of their layer that they explain, at most rho times its rank at any
// one. The singular vectors are found batch by batch (Ross et al. 2008, without a mean), from one
// token of eight, until no layer's turn any more or kEvaBatches were seen. Gives A per site; none
// where no vector was kept.
inline constexpr int64_t kEvaBatches = 16;
std::map<const Site*, Tensor> eva_start(const std::map<const Site*, int64_t>& ranks, double rho,
                                        Calibration& batches);

// LoRA-GA (Wang et al. 2024, arXiv:2407.05000, section 3): with the singular vectors U, V of the
// gradient of W over the first batch, A = k V[:r]^T and B = k U[:, r:2r], k = out^(1/4) /
// sqrt(gamma).
std::map<const Site*, LowRankFactors> lora_ga_start(const std::map<const Site*, int64_t>& ranks,
                                                    double gamma, Calibration& batches);

}  // namespace inlay
