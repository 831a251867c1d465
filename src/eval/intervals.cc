#include "eval/intervals.h"

namespace inlay {

void add_interval(Json& metrics, const std::string& name, const std::optional<Interval>& interval) {
  if (interval.has_value()) metrics[name + "_interval"] = {interval->low, interval->high};
}

std::optional<Interval> f1_interval(std::span<const PrecisionRecall> examples) {
  auto f1_of = [&](std::span<const std::size_t> rows) -> std::optional<double> {
    PrecisionRecall sum;
    for (std::size_t row : rows) {
      sum.hits += examples[row].hits;
      sum.support += examples[row].support;
      sum.predicted += examples[row].predicted;
    }
    if (!sum.present()) return std::nullopt;
    return sum.f1();
  };
  return bootstrap_interval(examples.size(), f1_of, {});
}

}  // namespace inlay
