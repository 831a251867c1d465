#include "eval/generation/candidates.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace inlay {
namespace {

double weight(const Candidate& candidate) { return std::exp(candidate.logit); }

double total_weight(std::span<const Candidate> candidates) {
  double total = 0;
  for (const Candidate& candidate : candidates) total += weight(candidate);
  return total;
}

// The last of the nucleus, by halving: what has left `range` at its upper end belongs to it, with
// weight `before`. Reorders the range.
Candidate least_of_nucleus(std::span<Candidate> range, double wanted) {
  double before = 0;
  while (range.size() > 1) {
    const std::size_t half = range.size() / 2;
    std::nth_element(range.begin(), range.begin() + static_cast<std::ptrdiff_t>(half), range.end(),
                     likelier);
    const double upper = total_weight(range.first(half));
    if (before + upper < wanted) {
      before += upper;
      range = range.subspan(half);
    } else {
      range = range.first(half);
    }
  }
  return range.front();
}

}  // namespace

bool likelier(const Candidate& x, const Candidate& y) {
  return x.logit != y.logit ? x.logit > y.logit : x.id < y.id;
}

Candidates candidates_of(std::span<const double> logits, double temperature) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  Candidates candidates;
  candidates.reserve(logits.size());
  for (std::size_t id = 0; id < logits.size(); ++id) {
    // The difference first: however small the temperature, the largest stays at 0.
    const double logit = (logits[id] - largest) / temperature;
    if (std::isfinite(logit)) candidates.push_back({static_cast<int32_t>(id), logit});
  }
  return candidates;
}

void keep_top_k(Candidates& candidates, int64_t k) {
  if (k == 0 || k >= static_cast<int64_t>(candidates.size())) return;
  Candidates order = candidates;
  const auto last = order.begin() + (k - 1);
  std::nth_element(order.begin(), last, order.end(), likelier);
  const double least = last->logit;
  std::erase_if(candidates, [least](const Candidate& x) { return x.logit < least; });
}

void keep_top_p(Candidates& candidates, double p) {
  if (p >= 1) return;
  Candidates order = candidates;
  const Candidate least = least_of_nucleus(order, p * total_weight(candidates));
  std::erase_if(candidates, [&least](const Candidate& x) { return likelier(least, x); });
}

void keep_min_p(Candidates& candidates, double p) {
  std::erase_if(candidates, [p](const Candidate& x) { return weight(x) < p; });
}

int32_t draw(const Candidates& candidates, double u) {
  const double place = u * total_weight(candidates);
  double end = 0;
  for (const Candidate& candidate : candidates) {
    end += weight(candidate);
    if (place < end) return candidate.id;
  }
  // The last end is the total itself, which u * total never reaches.
  fail(ErrorKind::kInternal, "{} of {} candidates' weight is none of theirs", place, end);
}

}  // namespace inlay
