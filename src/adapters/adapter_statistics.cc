#include "adapters/adapter_statistics.h"

#include <algorithm>
#include <cmath>

#include "adapters/arithmetic/singular_values.h"
#include "adapters/arithmetic/weight_update.h"

namespace inlay {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

struct Decomposed {
  int64_t rank = 0;
  Svd svd;
  bool factored = false;
};

Decomposed decomposed(const WeightUpdate& update) {
  int64_t limit = std::min(update.rows(), update.columns());
  Decomposed result{.rank = std::min(update.rank(), limit),
                    .svd = update.factored() ? svd_of_product(update.scale * update.b, update.a)
                                             : svd_of(update.dense),
                    .factored = update.factored()};
  return result;
}

double effective_rank(const Eigen::VectorXd& s) {
  double sum = s.sum(), entropy = 0;
  if (!(sum > 0)) return 0;
  for (Index i = 0; i < s.size(); ++i) {
    double share = s(i) / sum;
    if (share > 0) entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

// The directions that count: of the factors, or as many as the spectrum is wide.
Index direction_count(const Decomposed& update) {
  auto most = update.svd.s.size();
  if (update.factored) return std::min<Index>(update.rank, most);
  return std::clamp<Index>(static_cast<Index>(std::ceil(effective_rank(update.svd.s))), 1, most);
}

double ratio(double a, double b) { return b > 0 ? a / b : 0; }

UpdateStatistics statistics_of(const WeightUpdate& update, const Site& site) {
  Decomposed parts = decomposed(update);
  const Eigen::VectorXd& s = parts.svd.s;
  MatrixXd weight = base_weight(site);
  UpdateStatistics result{.norm = s.norm(), .rank = parts.rank};
  result.relative = ratio(result.norm, weight.norm());
  result.spectrum.assign(s.data(), s.data() + std::min<Index>(s.size(), parts.rank));
  result.effective_rank = effective_rank(s);
  result.stable_rank = s.size() > 0 ? ratio(s.squaredNorm(), s(0) * s(0)) : 0;
  result.used = ratio(result.effective_rank, static_cast<double>(parts.rank));
  Index count = direction_count(parts);
  MatrixXd own = parts.svd.u.leftCols(count).transpose() * weight * parts.svd.v.leftCols(count);
  result.amplification = ratio(result.norm, own.norm());
  return result;
}

double subspace_overlap(const MatrixXd& a, const MatrixXd& b, Index count) {
  return (a.leftCols(count).transpose() * b.leftCols(count)).squaredNorm() /
         static_cast<double>(count);
}

SiteOverlap overlap_at(const WeightUpdate& a, const WeightUpdate& b, const Site& site) {
  Decomposed first = decomposed(a), second = decomposed(b);
  Index count = std::min(direction_count(first), direction_count(second));
  MatrixXd one = a.matrix(), other = b.matrix();
  return {.site = &site,
          .cosine = ratio(one.cwiseProduct(other).sum(), one.norm() * other.norm()),
          .read = subspace_overlap(first.svd.v, second.svd.v, count),
          .written = subspace_overlap(first.svd.u, second.svd.u, count)};
}

}  // namespace

std::vector<SiteStatistics> adapter_statistics(Adapter& adapter) {
  std::vector<SiteStatistics> all;
  all.reserve(adapter.sites().size());
  for (const Site* site : adapter.sites()) {
    SiteStatistics& here = all.emplace_back(SiteStatistics{.site = site, .update = {}});
    for (const Adapter::Entry& entry : adapter.entries()) {
      if (entry.site != site) continue;
      if (entry.trained) here.parameters += entry.parameter.value().count();
      here.bytes += static_cast<int64_t>(entry.parameter.value().byte_count());
    }
    if (has_weight_update(adapter, *site))
      here.update = statistics_of(weight_update(adapter, *site), *site);
  }
  return all;
}

std::vector<SiteOverlap> adapter_overlap(Adapter& a, Adapter& b) {
  std::vector<SiteOverlap> overlaps;
  for (const Site* site : a.sites()) {
    if (b.at(site->index) == nullptr) continue;
    if (!has_weight_update(a, *site) || !has_weight_update(b, *site)) continue;
    overlaps.push_back(overlap_at(weight_update(a, *site), weight_update(b, *site), *site));
  }
  return overlaps;
}

}  // namespace inlay
