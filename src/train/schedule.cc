#include "train/schedule.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace inlay {

double schedule_factor(const std::string& name, int64_t step, int64_t total_steps,
                       int64_t warmup_steps) {
  if (step < warmup_steps) return static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  if (name == "constant") return 1.0;
  auto left = static_cast<double>(std::max<int64_t>(0, total_steps - step));
  double share = left / static_cast<double>(std::max<int64_t>(1, total_steps - warmup_steps));
  if (name == "linear") return share;
  ensure(name == "cosine", "schedule {}", name);
  return 0.5 * (1.0 + std::cos(M_PI * (1.0 - share)));
}

}  // namespace inlay
