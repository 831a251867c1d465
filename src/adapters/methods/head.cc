// The head alone: the base stays as it is, and only the task's output layer is trained (linear
// probing).
#include "adapters/method.h"

namespace inlay {
namespace {

class HeadOnly : public Method {
 public:
  void fields(FieldVisitor&) override {}
  std::vector<const Site*> select(const BaseFacts&) const override { return {}; }
  std::unique_ptr<SiteHook> attach(const Site&, ParameterMaker&) const override { return nullptr; }
};

}  // namespace

const MethodInfo& method_head() {
  static const MethodInfo info{
      .name = "head",
      .summary = "Trains the output layer alone; the base stays as it is.",
      .citation = "Alain and Bengio 2016, arXiv:1610.01644",
      .example = "head",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-2,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<HeadOnly>(); }};
  return info;
}

}  // namespace inlay
