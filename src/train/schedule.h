// The learning rate as a share of its peak, over the steps of a run.
#pragma once

#include <cstdint>
#include <string>

namespace inlay {

// Rises linearly from 0 over `warmup_steps`, then stays ("constant"), falls linearly to 0
// ("linear") or along half a cosine ("cosine"). `step` counts from 0; the first step of a warm-up
// has a rate above 0.
double schedule_factor(const std::string& name, int64_t step, int64_t total_steps,
                       int64_t warmup_steps);

}  // namespace inlay
