// Visual prompt tuning: Jia et al. 2022, arXiv:2203.12119, section 3.2: trained rows P (n, hidden)
// stand between the special tokens of an image and its patches. Shallow (eq. 4 and 5): the first
// layer reads them, [x; P; E]. Deep (eq. 6): every layer reads rows of its own in their place, and
// what the layer before gave for them is dropped.
#include <cmath>

#include "adapters/block_sites.h"
#include "adapters/method.h"
#include "autograd/ops/add.h"
#include "autograd/ops/place_rows.h"
#include "autograd/ops/row_ops.h"
#include "nn/context.h"
#include "nn/initializers.h"

namespace inlay {
namespace {

constexpr int64_t kMostTokens = 4096;

// At the base's place for virtual tokens.
class PromptHook : public SiteHook {
 public:
  PromptHook(Parameter& rows, int64_t at) : rows_(rows), at_(at) {}
  VirtualTokens virtual_tokens() override { return {&rows_, at_}; }

 private:
  Parameter& rows_;
  int64_t at_;
};

// After a layer, for the next one: p - h is added to the virtual rows h.
class NextPromptHook : public SiteHook {
 public:
  NextPromptHook(const Site& site, Parameter& rows) : site_(site), rows_(rows) {}

  Variable hidden(Context& context, const HiddenBlock& block) override {
    const RowSpace& tokens = *block.output.row_space();
    std::vector<int64_t> numbers = virtual_rows(tokens);
    if (numbers.empty()) return {};
    int64_t count = rows_.shape()[0];
    require(static_cast<int64_t>(numbers.size()) == count * tokens.examples(), ErrorKind::kUsage,
            "vpt: {} virtual tokens of {} images reach {}, where deep=true puts {} for each; do "
            "not stack it with a method that sets virtual tokens, too",
            numbers.size(), tokens.examples(), site_.name, count);
    const RowSpace* space = context.virtual_rows(tokens, count);
    Variable before = select_rows(context, block.output, numbers, space);
    Variable own = repeat_rows(context, rows_, Precision::kFull, space);
    return place_rows(context, add_scaled(context, own, before, -1), std::move(numbers), &tokens);
  }

 private:
  static std::vector<int64_t> virtual_rows(const RowSpace& tokens) {
    std::vector<int64_t> numbers;
    numbers.reserve(tokens.token_position.size());
    for (std::size_t row = 0; row < tokens.token_position.size(); ++row) {
      if (tokens.token_position[row] < 0) numbers.push_back(static_cast<int64_t>(row));
    }
    return numbers;
  }

  const Site& site_;
  Parameter& rows_;
};

class Vpt : public Method {
 public:
  void fields(FieldVisitor& visit) override {
    visit("tokens", tokens_, "rows set before the patches of each image");
    visit("deep", deep_, "each layer has rows of its own");
  }

  std::vector<const Site*> select(const BaseFacts& base) const override {
    require(tokens_ >= 1 && tokens_ <= kMostTokens, ErrorKind::kUsage,
            "vpt: tokens is {}; expected 1 to {}", tokens_, kMostTokens);
    require_images(base, "vpt", "prompt_tuning");
    std::vector<const Site*> sites;
    for (const Site* site : base.sites) {
      if (is_prompt(*site) || (deep_ && is_before_a_layer(base, *site))) sites.push_back(site);
    }
    require(!sites.empty() && is_prompt(*sites.front()), ErrorKind::kUsage,
            "vpt: this {} base has no place for virtual tokens; use ssf or lora", base.model_type);
    return sites;
  }

  std::unique_ptr<SiteHook> attach(const Site& site, ParameterMaker& make) const override {
    Parameter& rows = make.make(
        site, "vpt",
        uniform_init({tokens_, site.out}, bound(make.base(), site.out), make.stream(site, "vpt")));
    if (is_prompt(site)) return std::make_unique<PromptHook>(rows, site.at);
    return std::make_unique<NextPromptHook>(site, rows);
  }

  bool identity_at_start() const override { return false; }

 private:
  static bool is_prompt(const Site& site) {
    return site.kind == SiteKind::kPrompt && site.role == SiteRole::kEmbeddingOutput;
  }
  static bool is_before_a_layer(const BaseFacts& base, const Site& site) {
    return site.kind == SiteKind::kHidden && site.role == SiteRole::kLayerOutput &&
           site.layer + 1 < base.layers;
  }

  // As the authors' code starts them: sqrt(6 / (numbers of a patch + hidden)), Xavier's bound for
  // a layer from one to the other.
  static float bound(const BaseFacts& base, int64_t hidden) {
    int64_t numbers = 0;
    for (const Site* site : base.sites) {
      if (site->role == SiteRole::kPatchEmbedding)
        numbers = site->in * site->conv.kernel_height * site->conv.kernel_width;
    }
    return std::sqrt(6.0f / static_cast<float>(numbers + hidden));
  }

  int64_t tokens_ = 10;
  bool deep_ = false;
};

}  // namespace

const MethodInfo& method_vpt() {
  static const MethodInfo info{
      .name = "vpt",
      .summary = "Sets trained virtual tokens among the patches of an image.",
      .citation = "arXiv:2203.12119",
      .example = "vpt[tokens=10]",
      .format = AdapterFormat::kNative,
      .learning_rate = 1e-2,
      .epochs = 10,
      .make = []() -> std::unique_ptr<Method> { return std::make_unique<Vpt>(); }};
  return info;
}

}  // namespace inlay
