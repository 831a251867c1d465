#include "eval/metrics/perplexity.h"

#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "eval/intervals.h"

namespace inlay {

double NamedTokens::perplexity() const { return std::exp(loss()); }

void add_perplexity(Json& metrics, std::span<const NamedTokens> texts) {
  auto loss = [&](std::span<const std::size_t> rows) -> std::optional<double> {
    NamedTokens total;
    for (std::size_t row : rows) {
      total.count += texts[row].count;
      total.negative_log_probability += texts[row].negative_log_probability;
    }
    if (total.count == 0) return std::nullopt;
    return total.loss();
  };
  for (const char* name : {"loss", "negative_loss", "perplexity"}) metrics[name] = Json();
  std::vector<std::size_t> all(texts.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::optional<double> mean = loss(all);
  if (!mean.has_value()) return;
  metrics["loss"] = *mean;
  metrics["negative_loss"] = -*mean;
  metrics["perplexity"] = std::exp(*mean);
  std::optional<Interval> interval = bootstrap_interval(texts.size(), loss, {});
  add_interval(metrics, "loss", interval);
  if (interval.has_value()) {
    add_interval(metrics, "perplexity",
                 Interval{std::exp(interval->low), std::exp(interval->high)});
  }
}

}  // namespace inlay
