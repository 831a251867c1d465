#include "train/mixture.h"

#include <algorithm>
#include <map>

#include "adapters/composition.h"
#include "autograd/operands.h"

namespace inlay {
namespace {

constexpr std::size_t kMostExamples = 256;

class MixtureTap : public Tap {
 public:
  void see(const Site&, const Variable&) override {}
  void mixture(const Site& site, const Tensor& weights) override {
    Sum& sum = sums_[site.index];
    sum.site = &site;
    sum.weights.resize(static_cast<std::size_t>(weights.dim(1)));
    sum.rows += weights.dim(0);
    for (int64_t i = 0; i < weights.count(); ++i)
      sum.weights[static_cast<std::size_t>(i % weights.dim(1))] += in(weights).load<double>(i);
  }

  struct Sum {
    const Site* site = nullptr;
    std::vector<double> weights;
    int64_t rows = 0;
  };
  const std::map<std::size_t, Sum>& sums() const { return sums_; }

 private:
  std::map<std::size_t, Sum> sums_;  // by site, in the base's order
};

const CompositionNode* fusion_in(const CompositionNode& node) {
  if (node.what == Composing::kFuse) return &node;
  for (const CompositionNode& child : node.children) {
    if (const CompositionNode* found = fusion_in(child)) return found;
  }
  return nullptr;
}

}  // namespace

Json mixture_weights(Context& context, const Learner& learner, ExampleSpan examples) {
  Json weights = Json::object();
  const CompositionNode* whole =
      learner.adapter != nullptr ? composition_of(*learner.adapter) : nullptr;
  const CompositionNode* fusion = whole != nullptr ? fusion_in(*whole) : nullptr;
  if (fusion == nullptr || examples.empty()) return weights;
  MixtureTap tap;
  context.tap = &tap;
  predict(context, learner, examples.first(std::min(kMostExamples, examples.size())));
  context.tap = nullptr;
  for (const auto& [index, sum] : tap.sums()) {
    Json& of_site = weights[sum.site->name];
    for (std::size_t i = 0; i < sum.weights.size(); ++i) {
      const CompositionNode& child = fusion->children[i];
      std::string name =
          child.what == Composing::kLeaf ? child.name : leaves_of(child).front()->name + " ...";
      of_site[name] = sum.weights[i] / static_cast<double>(sum.rows);
    }
  }
  return weights;
}

}  // namespace inlay
