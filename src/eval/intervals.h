// The 95 % intervals that tasks give beside their figures, from resamples of whole examples: two
// runs over the same outputs give the same interval.
//
//   add_interval(metrics, "micro_f1", f1_interval(counts_per_example));
//   // {"micro_f1": 0.81, "micro_f1_interval": [0.78, 0.84]}
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/json.h"
#include "eval/metrics/classification.h"
#include "eval/statistics.h"

namespace inlay {

// Nothing is added where there is no interval.
void add_interval(Json& metrics, const std::string& name, const std::optional<Interval>& interval);

// Of the F1 of the counts summed over examples. REQUIRES: at least one example.
std::optional<Interval> f1_interval(std::span<const PrecisionRecall> examples);

}  // namespace inlay
