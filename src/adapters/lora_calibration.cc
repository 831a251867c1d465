#include "adapters/lora_calibration.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <utility>

#include "autograd/operands.h"
#include "autograd/ops/add.h"
#include "nn/modules.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

using Matrix = RowMajor<double>;

constexpr double kTurned = 0.99;  // PEFT's tau: the least cosine of a vector that has settled
constexpr int32_t kTokenStride = 8;

// One hook per site, made as sites are met.
template <class Hook>
class HooksOf : public SiteHooks {
 public:
  void put(const Site& site, std::unique_ptr<Hook> hook) {
    if (hooks_.size() <= site.index) hooks_.resize(site.index + 1);
    hooks_[site.index] = std::move(hook);
  }
  SiteHook* at(std::size_t index) override {
    return index < hooks_.size() ? hooks_[index].get() : nullptr;
  }

 private:
  std::vector<std::unique_ptr<Hook>> hooks_;
};

// The leading singular vectors of rows that come in batches.
class RunningSvd {
 public:
  RunningSvd(int64_t count, int64_t width) : count_(count), width_(width) {}

  void add(const float* row) { rows_.insert(rows_.end(), row, row + width_); }

  // Takes in the rows added since the last time.
  void update() {
    auto fresh = static_cast<int64_t>(rows_.size()) / width_;
    if (fresh == 0) return;
    Eigen::Map<const RowMajor<float>> seen(rows_.data(), fresh, width_);
    Matrix stacked(weighted_.rows() + fresh, width_);
    stacked << weighted_, seen.cast<double>();
    total_ += seen.cast<double>().squaredNorm();
    SingularVectors found = leading_vectors(stacked, std::min(count_, width_));
    auto kept = static_cast<int64_t>((found.values.array() > 0).count());
    Matrix vectors = found.right.leftCols(kept).transpose();
    settled_ = vectors_.rows() == kept && aligned(vectors);
    vectors_ = std::move(vectors);
    values_ = found.values.head(kept);
    weighted_ = values_.asDiagonal() * vectors_;
    rows_.clear();
  }

  bool settled() const { return settled_; }
  const Matrix& vectors() const { return vectors_; }  // rows, the largest first
  double share(int64_t i) const { return total_ > 0 ? values_[i] * values_[i] / total_ : 0; }

 private:
  bool aligned(const Matrix& vectors) const {
    return (vectors.cwiseProduct(vectors_).rowwise().sum().cwiseAbs().array() >= kTurned).all();
  }

  int64_t count_, width_;
  std::vector<float> rows_;
  Matrix weighted_{0, width_}, vectors_{0, width_};
  Eigen::VectorXd values_;
  double total_ = 0;
  bool settled_ = false;
};

class InputsHook : public SiteHook {
 public:
  explicit InputsHook(RunningSvd& svd) : svd_(svd) {}
  // Which tokens are seen depends on their places alone, not on how a batch is cut.
  Variable linear(Context&, const LinearSite&, const Variable& x, Variable y) override {
    Tensor values = x.value().to(DType::kF32);
    const RowSpace& rows = *x.row_space();
    for (int64_t i = 0; i < rows.rows(); ++i) {
      auto row = static_cast<std::size_t>(i);
      if ((rows.token_position[row] + rows.example_place[row]) % kTokenStride == 0)
        svd_.add(values.data<float>() + i * values.dim(1));
    }
    return y;
  }

 private:
  RunningSvd& svd_;
};

// Adds a zero matrix whose gradient is the weight's.
class GradientHook : public SiteHook {
 public:
  explicit GradientHook(const Site& site)
      : zero_("gradient of " + site.name, Tensor::zeros({site.out, site.in}, DType::kF32)) {}

  Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
    return add(context, y, inlay::linear(context, x, {.weight = &zero_}, Precision::kFull));
  }
  Tensor take() { return zero_.take_gradient(); }

 private:
  Parameter zero_;
};

Tensor narrow(const Matrix& values) {
  Tensor tensor = Tensor::empty({values.rows(), values.cols()}, DType::kF32);
  matrix<float>(tensor) = values.cast<float>();
  return tensor;
}

// How many vectors each site keeps.
std::map<const Site*, int64_t> shared_out(const std::map<const Site*, RunningSvd>& found,
                                          int64_t budget) {
  std::vector<std::pair<double, const Site*>> all;
  for (const auto& [site, svd] : found) {
    for (int64_t i = 0; i < svd.vectors().rows(); ++i) all.emplace_back(svd.share(i), site);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->index < b.second->index;
  });
  std::map<const Site*, int64_t> kept;
  for (std::size_t i = 0; i < std::min(all.size(), static_cast<std::size_t>(budget)); ++i)
    ++kept[all[i].second];
  return kept;
}

}  // namespace

std::map<const Site*, Tensor> eva_start(const std::map<const Site*, int64_t>& ranks, double rho,
                                        Calibration& batches) {
  std::map<const Site*, RunningSvd> found;
  HooksOf<InputsHook> hooks;
  int64_t budget = 0;
  for (const auto& [site, rank] : ranks) {
    auto most = static_cast<int64_t>(rho * static_cast<double>(rank));
    RunningSvd& svd =
        found.try_emplace(site, std::min({most, site->in, site->out}), site->in).first->second;
    hooks.put(*site, std::make_unique<InputsHook>(svd));
    budget += rank;
  }
  for (int64_t batch = 0; batch < std::min(batches.batches(), kEvaBatches); ++batch) {
    batches.forward(batch, hooks);
    bool settled = true;
    for (auto& [site, svd] : found) {
      svd.update();
      settled = settled && svd.settled();
    }
    if (settled) break;
  }
  std::map<const Site*, Tensor> start;
  for (const auto& [site, count] : shared_out(found, budget))
    start[site] = narrow(found.at(site).vectors().topRows(count));
  return start;
}

std::map<const Site*, LowRankFactors> lora_ga_start(const std::map<const Site*, int64_t>& ranks,
                                                    double gamma, Calibration& batches) {
  HooksOf<GradientHook> hooks;
  for (const auto& [site, rank] : ranks) hooks.put(*site, std::make_unique<GradientHook>(*site));
  batches.backward(0, hooks);
  std::map<const Site*, LowRankFactors> start;
  for (const auto& [site, rank] : ranks) {
    Tensor gradient = static_cast<GradientHook*>(hooks.at(site->index))->take();
    if (!gradient.defined()) continue;  // the loss does not see this layer
    SingularVectors found = leading_vectors(const_matrix<float>(gradient).cast<double>(), 2 * rank);
    double k = std::pow(static_cast<double>(site->out), 0.25) / std::sqrt(gamma);
    start[site] = {narrow(k * found.right.leftCols(rank).transpose()),
                   narrow(k * found.left.middleCols(rank, rank))};
  }
  return start;
}

}  // namespace inlay
