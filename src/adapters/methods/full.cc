// Full fine-tuning: every tensor of the base is trained, as a copy. The measure that adapters are
// held against.
#include "adapters/method.h"
#include "adapters/replacing_hook.h"

namespace inlay {
namespace {

class Full : public Method {
 public:
  void fields(FieldVisitor&) override {}

  std::vector<const Site*> select(const BaseFacts& base) const override {
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      if (holds_tensors(*site)) sites.push_back(site);
    }
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    return replace_tensors(site, make, {});
  }

  int64_t gradient_chunk() const override { return 4; }
};

}  // namespace

const MethodInfo& method_full() {
  static const MethodInfo info{
      .name = "full",
      .summary = "Trains a copy of every tensor of the base.",
      .citation = "Devlin et al. 2018, arXiv:1810.04805, section 4",
      .example = "full",
      .format = AdapterFormat::kNative,
      .learning_rate = 5e-5,
      .epochs = 3,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Full>(); }};
  return info;
}

}  // namespace inlay
