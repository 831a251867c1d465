// Batch-norm tuning: the scale and shift of every batch norm are trained, and its statistics
// estimated anew from the task's batches (Frankle et al. 2020, arXiv:2003.00152; Li et al. 2016,
// AdaBN, arXiv:1603.04779).
#include "adapters/batch_norm_hook.h"
#include "adapters/targets.h"

namespace inlay {
namespace {

class BnTuning : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit.choice("statistics", statistics_, {"batch", "base"},
                 "what maps are normalised by: the task's own batches, whose moving averages are "
                 "kept, or the base's");
    visit("momentum", momentum_, "the weight of a batch in the moving averages");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(momentum_ > 0 && momentum_ <= 1, ErrorKind::kUsage,
            "bn_tuning: momentum is {}; expected a number above 0, up to 1", momentum_);
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      if (is_batch_norm(*site)) sites.push_back(site);
    }
    require(!sites.empty(), ErrorKind::kUsage,
            "bn_tuning: this {} base has no batch norms; use ln_tuning", base.model_type);
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    return own_batch_norm(site, make, own_statistics());
  }

  bool couples_batch() const override { return own_statistics(); }
  bool trains_together() const override { return !own_statistics(); }
  std::unique_ptr<MethodTraining> training(Adapter& adapter) const override {
    return own_statistics() ? moving_statistics(adapter, momentum_) : nullptr;
  }

 private:
  bool own_statistics() const { return statistics_ == "batch"; }

  std::string statistics_ = "batch";
  double momentum_ = 0.1;
};

}  // namespace

const MethodInfo& method_bn_tuning() {
  static const MethodInfo info{
      .name = "bn_tuning",
      .summary = "Trains a copy of every batch norm and estimates its statistics anew.",
      .citation = "arXiv:2003.00152",
      .example = "bn_tuning",
      .format = AdapterFormat::kNative,
      .learning_rate = 3e-3,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<BnTuning>(); }};
  return info;
}

}  // namespace inlay
