#include "adapters/composition.h"

#include <algorithm>
#include <set>
#include <utility>

#include "adapters/method_training.h"
#include "adapters/mixing_hooks.h"
#include "adapters/part_maker.h"
#include "adapters/trained_together.h"
#include "base/nearest.h"

namespace inlay {
namespace {

constexpr double kFusionRegularisation = 0.01;  // of AdapterHub

struct Leaf {
  ConfiguredMethod method;
  bool finished;
};

// Pulls a fusion's W_v to the identity: 0.01 sum (I - W_v)^2.
class FusionTraining : public MethodTraining {
 public:
  explicit FusionTraining(std::vector<Parameter*> values) : values_(std::move(values)) {}

  double regularise(StepPlace) override {
    double sum = 0;
    for (Parameter* value : values_) {
      const Tensor& w = value->value();
      Tensor grad = Tensor::empty(w.shape(), DType::kF32);
      for (int64_t i = 0; i < w.count(); ++i) {
        double off = w.data<float>()[i] - (i % (w.dim(1) + 1) == 0 ? 1.0 : 0.0);
        sum += off * off;
        grad.mutable_data<float>()[i] = static_cast<float>(2 * kFusionRegularisation * off);
      }
      value->add_gradient(std::move(grad));
    }
    return kFusionRegularisation * sum;
  }

 private:
  std::vector<Parameter*> values_;
};

class Composition : public Method {
 public:
  Composition() = default;
  explicit Composition(CompositionNode node) {
    if (!node.children.empty()) read(std::move(node));
  }

  const CompositionNode& node() const { return node_; }

  void fields(FieldVisitor& visit) override {
    std::string text = leaves_.empty() ? "" : composition_text(node_), before = text;
    visit("expression", text, "operations over adapters, such as stack(lora, bottleneck)");
    if (text != before) read(parse_composition(text));
  }

  void settle(const BaseFacts& base) override { settle_leaves(node_, base); }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(!leaves_.empty(), ErrorKind::kUsage,
            "composition: no expression was given; write it as stack(lora[r=4], bottleneck)");
    require(node_.what != Composing::kParallel, ErrorKind::kUsage,
            "parallel runs several adapters with a head each; it cannot be one adapter. Train them "
            "apart, and ask them together with inlay predict --adapters ... --compose");
    check_layers(node_, base);
    std::set<const Site*> chosen;
    for (const auto& [name, leaf] : leaves_) {
      std::vector<const Site*> own = leaf.method.method->select(base);
      chosen.insert(own.begin(), own.end());
    }
    std::vector<const Site*> sites;
    std::copy_if(base.sites.begin(), base.sites.end(), std::back_inserter(sites),
                 [&](const Site* site) { return chosen.contains(site); });
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    int fusions = 0;
    return hook_of(node_, site, make, fusions);
  }

  bool identity_at_start() const override {
    return all(
        [](const Leaf& leaf) { return !leaf.finished && leaf.method.method->identity_at_start(); });
  }
  bool gradient_is_exact() const override {
    return all([](const Leaf& leaf) { return leaf.method.method->gradient_is_exact(); });
  }
  int64_t positions_taken() const override {
    int64_t taken = 0;
    for (const auto& [name, leaf] : leaves_) taken += leaf.method.method->positions_taken();
    return taken;
  }
  int64_t gradient_chunk() const override {
    int64_t chunk = has(node_, Composing::kFuse) ? 4 : 1;
    for (const auto& [name, leaf] : leaves_) {
      if (!leaf.finished) chunk = std::max(chunk, leaf.method.method->gradient_chunk());
    }
    return chunk;
  }

  std::unique_ptr<MethodTraining> training(Adapter& adapter) const override {
    std::vector<Parameter*> values;
    for (Adapter::Entry& entry : adapter.entries()) {
      if (entry.part.starts_with(kFusion) && entry.part.ends_with(".value.weight"))
        values.push_back(&entry.parameter);
    }
    if (values.empty()) return nullptr;
    return std::make_unique<FusionTraining>(std::move(values));
  }

 private:
  static constexpr const char* kFusion = "fusion";

  template <class Test>
  bool all(const Test& test) const {
    return std::all_of(leaves_.begin(), leaves_.end(),
                       [&](const auto& named) { return test(named.second); });
  }

  static bool has(const CompositionNode& node, Composing what) {
    return node.what == what ||
           std::any_of(node.children.begin(), node.children.end(),
                       [what](const CompositionNode& child) { return has(child, what); });
  }

  static void check_layers(const CompositionNode& node, const BaseFacts& base) {
    if (node.what == Composing::kDrop) {
      for (double layer : node.numbers) {
        require(layer < static_cast<double>(base.layers), ErrorKind::kUsage,
                "{} drops layer {}; this base has layers 0 to {}", composition_text(node), layer,
                base.layers - 1);
      }
    }
    for (const CompositionNode& child : node.children) check_layers(child, base);
  }

  void read(CompositionNode node) {
    std::map<std::string, Leaf> leaves;
    for (const CompositionNode* leaf : leaves_of(node)) {
      std::string text = leaf->method.empty() ? leaf->name : leaf->method;
      ConfiguredMethod method = parse_method(text);
      if (!leaf->finished) require_trained_together(method);
      leaves.emplace(leaf->name, Leaf{std::move(method), leaf->finished});
    }
    name_methods(node);
    node_ = std::move(node);
    leaves_ = std::move(leaves);
  }

  // So that the text says everything: a leaf that was only a method's name gets its settings.
  static void name_methods(CompositionNode& node) {
    if (node.what == Composing::kLeaf && node.method.empty()) node.method = node.name;
    for (CompositionNode& child : node.children) name_methods(child);
  }

  // The text says what was settled, too.
  void settle_leaves(CompositionNode& node, const BaseFacts& base) {
    for (CompositionNode& child : node.children) settle_leaves(child, base);
    if (node.what != Composing::kLeaf) return;
    const ConfiguredMethod& leaf = leaves_.at(node.name).method;
    std::string before = method_text(leaf);
    leaf.method->settle(base);
    if (method_text(leaf) != before) node.method = method_text(leaf);
  }

  std::unique_ptr<SiteHook> hook_of(const CompositionNode& node, const Site& site,
                                    ParameterMaker& make, int& fusions) const {
    if (node.what == Composing::kLeaf) return leaf_hook(node, site, make);
    Hooks hooks;
    std::string fusion = kFusion;
    if (node.what == Composing::kFuse && ++fusions > 1) fusion += "_" + std::to_string(fusions);
    for (const CompositionNode& child : node.children)
      hooks.push_back(hook_of(child, site, make, fusions));
    bool none =
        std::all_of(hooks.begin(), hooks.end(), [](const auto& hook) { return hook == nullptr; });
    if (none) return nullptr;
    switch (node.what) {
      case Composing::kStack:
        std::erase(hooks, nullptr);
        return make_stack_hook(site, std::move(hooks));
      case Composing::kAverage:
        return make_average_hook(site, std::move(hooks), node.numbers);
      case Composing::kSplit:
        return make_split_hook(site, std::move(hooks), ends_of(node.numbers));
      case Composing::kFuse:
        return fusion_hook(node, site, make, fusion, std::move(hooks));
      case Composing::kDrop: {
        bool dropped = std::find(node.numbers.begin(), node.numbers.end(),
                                 static_cast<double>(site.layer)) != node.numbers.end();
        return dropped ? nullptr : std::move(hooks.front());
      }
      default:
        fail(ErrorKind::kInternal, "an operation without a hook");
    }
  }

  std::unique_ptr<SiteHook> leaf_hook(const CompositionNode& node, const Site& site,
                                      ParameterMaker& make) const {
    const Leaf& leaf = leaves_.at(node.name);
    std::vector<const Site*> own = leaf.method.method->select(make.base());
    if (std::find(own.begin(), own.end(), &site) == own.end()) return nullptr;
    PartMaker maker(make, node.name, std::move(own), leaf.finished);
    return leaf.method.method->attach(site, maker);
  }

  static std::vector<int64_t> ends_of(const std::vector<double>& counts) {
    std::vector<int64_t> ends;
    ends.reserve(counts.size());
    int64_t end = 0;
    for (double count : counts) ends.push_back(end += static_cast<int64_t>(count));
    return ends;
  }

  std::unique_ptr<SiteHook> fusion_hook(const CompositionNode& node, const Site& site,
                                        ParameterMaker& make, const std::string& name,
                                        Hooks hooks) const {
    require(site.role != SiteRole::kEmbeddingOutput, ErrorKind::kUsage,
            "fuse cannot take back what it mixes, as a masked-LM head asks of the invertible "
            "adapters in {}; stack them, or train the bottlenecks without inv_adapter",
            composition_text(node));
    bool everywhere =
        std::none_of(hooks.begin(), hooks.end(), [](const auto& hook) { return hook == nullptr; });
    require(site.kind == SiteKind::kHidden && everywhere, ErrorKind::kUsage,
            "fuse mixes what adapters add to the same blocks, as bottlenecks do; of {} not all do "
            "so at {}",
            composition_text(node), site.name);
    Method& first = *leaves_.at(leaves_of(node).front()->name).method.method;
    Json settings = fields_to_json([&](FieldVisitor& visit) { first.fields(visit); });
    bool norm_first = settings.value("original_ln_before", false);
    return make_fusion_hook(site, make_fusion_tensors(site, make, name), std::move(hooks),
                            norm_first);
  }

  CompositionNode node_;
  std::map<std::string, Leaf> leaves_;
};

void bind(CompositionNode& node, const AdaptersAtHand& at_hand) {
  for (CompositionNode& child : node.children) bind(child, at_hand);
  if (node.what != Composing::kLeaf || !node.method.empty()) return;
  auto found = at_hand.find(node.name);
  if (found != at_hand.end()) {
    node.method = found->second->method_text();
    node.finished = true;
    return;
  }
  std::vector<std::string> names;
  for (const auto& [name, adapter] : at_hand) names.push_back(name);
  for (const MethodInfo* method : all_methods()) names.push_back(method->name);
  bool method = std::find(names.begin(), names.end(), node.name) != names.end();
  require(method, ErrorKind::kUsage,
          "\"{}\" is neither an adapter at hand nor a method; did you mean \"{}\"?", node.name,
          nearest_name(node.name, names));
}

// The values of a finished leaf, under the names that they have in the composition.
void copy_values(const Adapter& source, const std::string& leaf,
                 std::map<std::string, Tensor>& values) {
  for (const Adapter::Entry& entry : source.entries()) {
    std::string part = entry.part.empty() ? "" : "." + entry.part;
    std::string name = fmt::format("{}{}", leaf, part);
    if (entry.site != nullptr) name = fmt::format("{}.{}", entry.site->name, name);
    values.emplace(name, entry.parameter.value().clone());
  }
}

}  // namespace

std::unique_ptr<Adapter> compose(const std::string& name, const std::string& text,
                                 const AdaptersAtHand& at_hand, const BaseFacts& base,
                                 uint64_t seed) {
  CompositionNode node = parse_composition(text);
  std::vector<const Adapter*> sources;  // of the leaves, in order; null: trained
  for (const CompositionNode* leaf : leaves_of(node)) {
    auto found = leaf->method.empty() ? at_hand.find(leaf->name) : at_hand.end();
    sources.push_back(found != at_hand.end() ? found->second : nullptr);
  }
  bind(node, at_hand);
  node = parse_composition(composition_text(node));  // equal names are numbered
  std::map<std::string, Tensor> values;
  std::vector<const CompositionNode*> leaves = leaves_of(node);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (sources[i] != nullptr) copy_values(*sources[i], leaves[i]->name, values);
  }
  const MethodInfo& info = find_method("composition");
  return Adapter::create(name, {&info, make_composition(node)}, base, seed, std::move(values));
}

std::unique_ptr<Method> make_composition(const CompositionNode& node) {
  return std::make_unique<Composition>(node);
}

const CompositionNode* composition_of(const Adapter& adapter) {
  auto* composition = dynamic_cast<const Composition*>(&adapter.method());
  return composition != nullptr ? &composition->node() : nullptr;
}

}  // namespace inlay
