#include "adapters/adalora_training.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "formats/saved_tensor.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

// What is remembered of a tensor's importance.
struct Importance {
  Tensor average, uncertainty;
};

struct Triplets {
  Adapter::Entry* a = nullptr;
  Adapter::Entry* b = nullptr;
  Adapter::Entry* e = nullptr;
};

class AdaLoraTraining : public MethodTraining {
 public:
  AdaLoraTraining(Adapter& adapter, int64_t init_r, int64_t target_r, const AdaLoraOptions& options)
      : options_(options) {
    std::map<const Site*, std::size_t> places;
    for (Adapter::Entry& entry : adapter.entries()) {
      auto [place, fresh] = places.try_emplace(entry.site, sites_.size());
      if (fresh) sites_.emplace_back();
      Triplets& own = sites_[place->second];
      (entry.part == "lora_A" ? own.a : entry.part == "lora_B" ? own.b : own.e) = &entry;
      Importance& importance = importance_[&entry.parameter];
      importance.average = Tensor::zeros(entry.parameter.shape(), DType::kF32);
      importance.uncertainty = Tensor::zeros(entry.parameter.shape(), DType::kF32);
    }
    auto count = static_cast<int64_t>(sites_.size());
    first_budget_ = init_r * count;
    last_budget_ = target_r * count;
  }

  // weight * the mean of |A A^T - I| and |B^T B - I|, and its gradients.
  double regularise(StepPlace) override {
    if (options_.orthogonality == 0) return 0;
    double sum = 0, share = options_.orthogonality / (2.0 * static_cast<double>(sites_.size()));
    for (const Triplets& site : sites_) {
      sum += pull_together(site.a->parameter, share, true);
      sum += pull_together(site.b->parameter, share, false);
    }
    return share * sum;
  }

  bool wants_gradients() const override { return true; }

  void after_step(StepPlace place, const Gradients& gradients) override {
    int64_t done = place.step + 1, end = place.total - options_.tfinal;
    if (done < end) remember(gradients);
    if (done > options_.tinit && (done >= end || done % options_.delta == 0)) {
      if (done <= end || masks_.empty()) choose(budget(done, end));
      apply();
    }
  }

  bool complete(StepPlace place) const override {
    return place.step >= place.total - options_.tfinal;
  }

  std::vector<NamedTensor> state() const override {
    std::vector<NamedTensor> tensors;
    for (const Triplets& site : sites_) {
      for (const Adapter::Entry* entry : {site.a, site.b, site.e}) {
        const std::string& name = entry->parameter.name();
        const Importance& importance = importance_.at(&entry->parameter);
        tensors.push_back({"importance." + name, importance.average});
        tensors.push_back({"uncertainty." + name, importance.uncertainty});
      }
    }
    for (std::size_t i = 0; i < masks_.size(); ++i)
      tensors.push_back({"mask." + sites_[i].e->parameter.name(), masks_[i]});
    return tensors;
  }

  void restore(const SafetensorsFile& file) override {
    for (const Triplets& site : sites_) {
      for (const Adapter::Entry* entry : {site.a, site.b, site.e}) {
        const std::string& name = entry->parameter.name();
        Importance& importance = importance_.at(&entry->parameter);
        importance.average = saved_tensor(file, "importance." + name, entry->parameter.shape());
        importance.uncertainty =
            saved_tensor(file, "uncertainty." + name, entry->parameter.shape());
      }
    }
    masks_.clear();
    bool masked = !sites_.empty() && file.contains("mask." + sites_[0].e->parameter.name());
    for (const Triplets& site : sites_) {
      const Parameter& e = site.e->parameter;
      if (masked) masks_.push_back(saved_tensor(file, "mask." + e.name(), {e.shape()[0]}));
    }
  }

 private:
  // Adds share * d |M| / dP, M being P P^T - I or P^T P - I; gives |M|.
  static double pull_together(Parameter& parameter, double share, bool rows) {
    auto p = const_matrix<float>(parameter.value()).cast<double>();
    RowMajor<double> gram =
        rows ? RowMajor<double>(p * p.transpose()) : RowMajor<double>(p.transpose() * p);
    gram.diagonal().array() -= 1.0;
    double length = gram.norm();
    if (length == 0) return 0;
    RowMajor<double> gradient = rows ? RowMajor<double>(gram * p) : RowMajor<double>(p * gram);
    Tensor grad = Tensor::empty(parameter.shape(), DType::kF32);
    matrix<float>(grad) = (gradient * (2.0 * share / length)).cast<float>();
    parameter.add_gradient(std::move(grad));
    return length;
  }

  void remember(const Gradients& gradients) {
    auto b1 = static_cast<float>(options_.beta1), b2 = static_cast<float>(options_.beta2);
    for (auto& [parameter, importance] : importance_) {
      auto found = gradients.find(parameter);
      if (found == gradients.end()) continue;
      const auto* value = parameter->value().data<float>();
      const auto* gradient = found->second.data<float>();
      auto* average = importance.average.mutable_data<float>();
      auto* uncertainty = importance.uncertainty.mutable_data<float>();
      for (int64_t i = 0; i < importance.average.count(); ++i) {
        float now = std::fabs(value[i] * gradient[i]);
        average[i] = b1 * average[i] + (1 - b1) * now;
        uncertainty[i] = b2 * uncertainty[i] + (1 - b2) * std::fabs(now - average[i]);
      }
    }
  }

  int64_t budget(int64_t done, int64_t end) const {
    if (done >= end) return last_budget_;
    double left = 1.0 - static_cast<double>(done - options_.tinit) /
                            static_cast<double>(end - options_.tinit);
    auto span = static_cast<double>(first_budget_ - last_budget_);
    return static_cast<int64_t>(span * left * left * left) + last_budget_;
  }

  RowMajor<double> scores_of(const Adapter::Entry& entry) const {
    const Importance& importance = importance_.at(&entry.parameter);
    return const_matrix<float>(importance.average)
        .cwiseProduct(const_matrix<float>(importance.uncertainty))
        .cast<double>();
  }

  // One per triplet, over all sites.
  std::vector<double> scores() const {
    std::vector<double> all;
    for (const Triplets& site : sites_) {
      Eigen::VectorXd own = scores_of(*site.e).col(0) + scores_of(*site.a).rowwise().mean() +
                            scores_of(*site.b).colwise().mean().transpose();
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }

  // Keeps the triplets with the largest scores, the earlier one of equals.
  void choose(int64_t kept) {
    std::vector<double> all = scores();
    std::vector<std::size_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return all[a] > all[b]; });
    std::vector<float> keep(all.size(), 0.0f);
    auto count = std::min(static_cast<std::size_t>(kept), all.size());
    for (std::size_t i = 0; i < count; ++i) keep[order[i]] = 1.0f;
    masks_.clear();
    std::size_t first = 0;
    for (const Triplets& site : sites_) {
      Tensor mask = Tensor::empty({site.e->parameter.value().count()}, DType::kF32);
      std::copy_n(keep.begin() + static_cast<std::ptrdiff_t>(first), mask.count(),
                  mask.mutable_data<float>());
      first += static_cast<std::size_t>(mask.count());
      masks_.push_back(std::move(mask));
    }
  }

  void apply() {
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      Parameter& values = sites_[i].e->parameter;
      auto* value = values.mutable_value().mutable_data<float>();
      for (int64_t k = 0; k < masks_[i].count(); ++k) value[k] *= masks_[i].data<float>()[k];
      values.changed();
    }
  }

  AdaLoraOptions options_;
  std::vector<Triplets> sites_;
  std::map<const Parameter*, Importance> importance_;
  std::vector<Tensor> masks_;  // of the last choice, by site
  int64_t first_budget_ = 0, last_budget_ = 0;
};

}  // namespace

void AdaLoraOptions::check() const {
  require(tinit >= 0 && tfinal >= 0, ErrorKind::kUsage,
          "adalora: tinit is {} and tfinal {}; expected 0 or more", tinit, tfinal);
  require(delta >= 1, ErrorKind::kUsage, "adalora: deltaT is {}; expected 1 or more", delta);
  auto decay = [](double beta) { return beta > 0 && beta < 1; };
  require(decay(beta1) && decay(beta2), ErrorKind::kUsage,
          "adalora: beta1 is {} and beta2 {}; expected above 0 and below 1", beta1, beta2);
  require(orthogonality >= 0, ErrorKind::kUsage,
          "adalora: orth_reg_weight is {}; expected 0 or more", orthogonality);
}

std::unique_ptr<MethodTraining> make_adalora_training(Adapter& adapter, int64_t init_r,
                                                      int64_t target_r,
                                                      const AdaLoraOptions& options) {
  return std::make_unique<AdaLoraTraining>(adapter, init_r, target_r, options);
}

}  // namespace inlay
