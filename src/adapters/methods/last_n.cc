// Fine-tuning of the last layers only; the layers below stay frozen (Lee et al. 2019,
// arXiv:1911.03090).
#include "adapters/method.h"
#include "adapters/replacing_hook.h"

namespace inlay {
namespace {

class LastLayers : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("n", n_, "how many layers, counted from the last");
  }

  // What follows the layers (a pooler, a masked-LM head) is trained with them; the embeddings come
  // before and are not.
  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(n_ >= 1 && n_ <= base.layers, ErrorKind::kUsage,
            "last_n: n is {}; this base has {} layers: give 1 to {}", n_, base.layers, base.layers);
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      bool after = site->role == SiteRole::kPooler || site->role == SiteRole::kMaskedLm;
      if (holds_tensors(*site) && (after || site->layer >= base.layers - n_)) sites.push_back(site);
    }
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    return replace_tensors(site, make, {});
  }

  int64_t gradient_chunk() const override { return 4; }

 private:
  int64_t n_ = 2;
};

}  // namespace

const MethodInfo& method_last_n() {
  static const MethodInfo info{
      .name = "last_n",
      .summary = "Trains a copy of every tensor of the last n layers.",
      .citation = "arXiv:1911.03090",
      .example = "last_n[n=2]",
      .format = AdapterFormat::kNative,
      .learning_rate = 2e-4,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<LastLayers>(); }};
  return info;
}

}  // namespace inlay
