// BitFit: Ben Zaken et al. 2021, arXiv:2106.10199: every bias of the encoder is trained, those of
// linear layers and of norms, and nothing else.
#include "adapters/method.h"
#include "adapters/replacing_hook.h"

namespace inlay {
namespace {

class BitFit : public Method {
 public:
  void fields(FieldVisitor&) override {}

  std::vector<const Site*> select(const BaseFacts& base) const override {
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      if (site->bias.defined()) sites.push_back(site);
    }
    require(!sites.empty(), ErrorKind::kUsage, "bitfit: this {} base has no biases; use lora",
            base.model_type);
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    return replace_tensors(site, make, {.weight = false});
  }
};

}  // namespace

const MethodInfo& method_bitfit() {
  static const MethodInfo info{
      .name = "bitfit",
      .summary = "Trains a copy of every bias of the base.",
      .citation = "arXiv:2106.10199",
      .example = "bitfit",
      .format = AdapterFormat::kNative,
      .learning_rate = 3e-3,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<BitFit>(); }};
  return info;
}

}  // namespace inlay
