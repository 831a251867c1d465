// LN tuning: Zhao et al. 2023, arXiv:2312.11420: the scale and shift of every norm of the base are
// trained, as copies, and nothing else.
#include "adapters/method.h"
#include "adapters/peft_form.h"
#include "adapters/replacing_hook.h"
#include "adapters/targets.h"

namespace inlay {
namespace {

class LnTuning : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("target_modules", targets_.target_modules,
          "names (suffixes) of norms, or a pattern; empty: every norm");
    visit("exclude_modules", targets_.exclude_modules, "module names or patterns to leave out");
    visit("layers_to_transform", targets_.layers_to_transform, "only these layers; all when empty");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    TargetRules rules = targets_;
    if (rules.target_modules.empty()) rules.target_modules = {".*"};
    return select_targets(base, {SiteKind::kNorm}, rules);
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    return replace_tensors(site, make, {.prefix = "ln_tuning_layers."});
  }

 private:
  TargetRules targets_;
};

const PeftForm& ln_tuning_form() {
  static const PeftForm form{.type = "LN_TUNING", .keys = {}, .kinds = {SiteKind::kNorm}};
  return form;
}

}  // namespace

const MethodInfo& method_ln_tuning() {
  static const MethodInfo info{
      .name = "ln_tuning",
      .summary = "Trains a copy of the scale and shift of every norm.",
      .citation = "arXiv:2312.11420",
      .example = "ln_tuning",
      .format = AdapterFormat::kPeft,
      .peft = &ln_tuning_form(),
      .learning_rate = 5e-3,
      .epochs = 5,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<LnTuning>(); }};
  return info;
}

}  // namespace inlay
