// Batch norms that belong to a task: scale and shift are trained as copies, and the statistics are
// estimated anew from its batches (Rebuffi et al. 2017, arXiv:1705.08045, section 3.2).
#pragma once

#include <memory>

#include "adapters/method_training.h"
#include "adapters/replacing_hook.h"

namespace inlay {

// Whether a norm keeps statistics.
inline bool is_batch_norm(const Site& site) {
  return site.kind == SiteKind::kNorm && site.mean.defined();
}

// REQUIRES: is_batch_norm(site). With `estimates` the statistics are the task's own from the
// base's on, in "running_mean" and "running_var".
std::unique_ptr<SiteHook> own_batch_norm(const Site& site, ParameterMaker& make, bool estimates);

// Moves the statistics of all sites after every step: (1 - momentum) old + momentum of the batch,
// as PyTorch does.
std::unique_ptr<MethodTraining> moving_statistics(Adapter& adapter, double momentum);

}  // namespace inlay
