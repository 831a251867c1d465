// What a trained adapter did to its base, place by place: how far the weights moved, in how many
// directions, and whether in directions that the base had already.
//
// W is a site's weight (out, in), dW = U S V^T what the adapter adds to it, s its singular values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adapters/adapter.h"

namespace inlay {

struct UpdateStatistics {
  double norm = 0;               // |dW|_F
  double relative = 0;           // |dW|_F / |W|_F
  int64_t rank = 0;              // of the method's factors; min(out, in) for methods without
  std::vector<double> spectrum;  // singular values of dW, falling; at most `rank`
  // exp of the entropy of s / sum s: Roy and Vetterli 2007, "The effective rank". 0 for dW = 0.
  double effective_rank = 0;
  double stable_rank = 0;  // |dW|_F^2 / s_1^2
  double used = 0;         // effective_rank / rank
  // |dW|_F / |U^T W V^T|_F over the first `rank` directions, or, for methods without factors, over
  // as many as the effective rank: how much more the adapter has of its directions than the base.
  // Hu et al. 2021, arXiv:2106.09685, section 7.3.
  double amplification = 0;
};

struct SiteStatistics {
  const Site* site;
  int64_t parameters = 0;  // trained
  int64_t bytes = 0;       // of all tensors, fixed ones too
  // For linear layers, where the method's effect is one on the weight (SiteHook::merge).
  std::optional<UpdateStatistics> update;
};

// In the base's order. A thin SVD per site: through the factors for LoRA, of the whole update
// otherwise.
std::vector<SiteStatistics> adapter_statistics(Adapter& adapter);

// How alike two adapters of one base are at a site where both have an update.
struct SiteOverlap {
  const Site* site;
  double cosine = 0;  // <dW_1, dW_2> / (|dW_1| |dW_2|)
  // |U_1^T U_2|_F^2 / i in [0, 1] over the first i directions of each, i the smaller rank; of what
  // dW reads (V, as Hu et al., section 7.2, eq. (4)) and of what it writes (U).
  double read = 0, written = 0;
};
std::vector<SiteOverlap> adapter_overlap(Adapter& a, Adapter& b);

}  // namespace inlay
