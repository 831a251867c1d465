#include "nn/modules.h"

#include <memory>

#include "autograd/gradient_check.h"
#include "autograd/ops/add.h"
#include "autograd/ops/layer_norm.h"
#include "autograd/ops/lerp.h"
#include "autograd/ops/lora.h"
#include "autograd/ops/scale.h"

namespace inlay {
namespace {

constexpr int64_t kChannels = 12;

enum SiteIndex : std::size_t { kLinearIndex, kHiddenIndex, kNormIndex, kEmbeddingIndex };

// An adapter with something to do at every site: a low-rank update, an addition, a gamma of its
// own.
class FakeAdapter : public SiteHooks {
 public:
  explicit FakeAdapter(const std::string& name)
      : a("a", drawn_tensor(name + "/a", {2, kChannels})),
        b("b", drawn_tensor(name + "/b", {kChannels, 2})),
        gamma("gamma", drawn_tensor(name + "/gamma", {kChannels})) {}

  SiteHook* at(std::size_t site) override { return hooks_[site].get(); }
  Variable update(Context& context, const Variable& x, Variable y) {
    return lora(context, std::move(y), x, a, b, 0.5f);
  }

  Parameter a, b, gamma;

 private:
  struct LinearHook : SiteHook {
    explicit LinearHook(FakeAdapter& owner) : adapter(owner) {}
    Variable linear(Context& context, const LinearSite&, const Variable& x, Variable y) override {
      return adapter.update(context, x, std::move(y));
    }
    FakeAdapter& adapter;
  };
  struct HiddenHook : SiteHook {
    Variable hidden(Context& context, const HiddenBlock& block) override {
      return scale(context, block.output, 0.3);
    }
  };
  struct ReplacingHook : SiteHook {
    explicit ReplacingHook(Parameter& by) : parameter(by) {}
    Replacements replacements() override { return {.weight = &parameter}; }
    Parameter& parameter;
  };

  std::vector<std::unique_ptr<SiteHook>> hooks_ = [this] {
    std::vector<std::unique_ptr<SiteHook>> hooks;
    hooks.push_back(std::make_unique<LinearHook>(*this));
    hooks.push_back(std::make_unique<HiddenHook>());
    hooks.push_back(std::make_unique<ReplacingHook>(gamma));
    hooks.push_back(std::make_unique<ReplacingHook>(gamma));
    return hooks;
  }();
};

// A base of one linear layer, a block's end and a norm.
struct Base {
  LinearSite linear{{.name = "layer.dense", .kind = SiteKind::kLinear, .index = kLinearIndex},
                    FrozenWeight(drawn_tensor("w", {kChannels, kChannels}),
                                 drawn_tensor("b", {kChannels}), onednn::Layout::kOutIn, nullptr)};
  HiddenSite hidden{{.name = "layer", .kind = SiteKind::kHidden, .index = kHiddenIndex}};
  NormSite norm{{.name = "layer.norm", .kind = SiteKind::kNorm, .index = kNormIndex},
                drawn_tensor("gamma", {kChannels}),
                drawn_tensor("beta", {kChannels})};
  EmbeddingSite embedding{
      {.name = "words", .kind = SiteKind::kEmbedding, .index = kEmbeddingIndex}};
  NormWeights norm_weights{.gamma = norm.gamma, .beta = norm.beta, .eps = norm.eps};

  Variable product(Context& context, const Variable& x) const {
    return inlay::linear(context, x, {.frozen = &linear.weight}, Precision::kFull);
  }
  Variable normed(Context& context, const Variable& x, Parameter* gamma = nullptr) const {
    NormWeights weights = norm_weights;
    weights.trained_gamma = gamma;
    return layer_norm(context, x, {}, weights);
  }
};

std::vector<double> numbers_of(const Tensor& tensor) {
  std::vector<double> numbers;
  for (int64_t i = 0; i < tensor.count(); ++i) numbers.push_back(in(tensor).load<double>(i));
  return numbers;
}
void expect_same_numbers(const Variable& found, const Variable& expected) {
  expect_same_bits({{"value", numbers_of(found.value())}},
                   {{"value", numbers_of(expected.value())}});
}

// A base, an adapter and a batch of examples in one context, in both compute types.
class ModulesTest : public testing::TestWithParam<DType> {
 protected:
  ModulesTest() : context(GetParam()) { context.begin_forward(); }

  Variable batch(int64_t first = 0, int64_t last = 4) {
    std::vector<int64_t> lengths{3, 1, 4, 2}, mine(lengths.begin() + first, lengths.begin() + last);
    RowSpace& rows = spaces_.emplace_back(make_row_space(mine, 1, first));
    int64_t skipped = 0;
    for (int64_t i = 0; i < first; ++i) skipped += lengths[static_cast<std::size_t>(i)];
    Tensor all = drawn_tensor("x", {10, kChannels});
    return context.tape.input(all.rows(skipped, skipped + rows.rows()).clone(), &rows);
  }
  void activate(FakeAdapter& which, float gate) {
    context.adapters = {{.hooks = &which, .gate = gate}};
  }

  Variable linear_of(const Variable& x) {
    return linear_site(context, base.linear, x, Precision::kFull);
  }
  Variable hidden_of(const Variable& x) {
    return hidden_site(context, base.hidden, x, x, x, base.norm);
  }
  Variable norm_of(const Variable& x) { return norm_site(context, base.norm, x, {}); }
  Variable layer_of(const Variable& x) { return norm_of(hidden_of(linear_of(x))); }

  Base base;
  FakeAdapter adapter{"one"}, other{"two"};
  std::deque<RowSpace> spaces_;
  Context context;
};

INSTANTIATE_TEST_SUITE_P(ComputeTypes, ModulesTest, testing::Values(DType::kF32, DType::kBF16),
                         [](const auto& type) { return std::string(dtype_name(type.param)); });

TEST_P(ModulesTest, AGateOfZeroIsTheBaseBitForBit) {
  Variable x = batch(), bare = layer_of(x);
  expect_same_numbers(bare, base.normed(context, base.product(context, x)));
  activate(adapter, 0.0f);
  expect_same_numbers(layer_of(x), bare);
}

TEST_P(ModulesTest, AGateOfOneIsThePlainAdaptedForwardBitForBit) {
  Variable x = batch();
  activate(adapter, 1.0f);
  expect_same_numbers(linear_of(x), adapter.update(context, x, base.product(context, x)));
  expect_same_numbers(hidden_of(x), add(context, x, scale(context, x, 0.3)));
  expect_same_numbers(norm_of(x), base.normed(context, x, &adapter.gamma));
}

TEST_P(ModulesTest, AGateOfAHalfIsHalfWayFromTheBase) {
  Variable x = batch();
  activate(adapter, 0.5f);
  Variable plain = base.product(context, x);
  expect_same_numbers(linear_of(x), lerp(context, plain, adapter.update(context, x, plain), 0.5));
  expect_same_numbers(hidden_of(x), add_scaled(context, x, scale(context, x, 0.3), 0.5));
  expect_same_numbers(norm_of(x), lerp(context, base.normed(context, x),
                                       base.normed(context, x, &adapter.gamma), 0.5));
}

TEST_P(ModulesTest, AGateOfASiteGoesBeforeTheGateOfTheAdapter) {
  Variable x = batch();
  context.adapters = {{.hooks = &adapter,
                       .gate = 0.5f,
                       .site_gates = {{kLinearIndex, 0.0f}, {kHiddenIndex, 1.0f}}}};
  expect_same_numbers(linear_of(x), base.product(context, x));
  expect_same_numbers(hidden_of(x), add(context, x, scale(context, x, 0.3)));
}

TEST_P(ModulesTest, AdaptersAreAppliedInOrder) {
  Variable x = batch();
  context.adapters = {{.hooks = &adapter, .site_gates = {{kNormIndex, 0.0f}}}, {.hooks = &other}};
  Variable first = adapter.update(context, x, base.product(context, x));
  expect_same_numbers(linear_of(x), other.update(context, x, first));
}

TEST_P(ModulesTest, EachExampleOfASegmentGetsWhatItGetsAlone) {
  Variable all = batch();
  context.segments = {
      {0, 1, {{.hooks = &adapter}}}, {1, 3, {{.hooks = &other, .gate = 0.5f}}}, {3, 4, {}}};
  Variable mixed = layer_of(all);
  std::vector<double> alone;
  for (const Segment& segment : std::vector<Segment>(std::exchange(context.segments, {}))) {
    context.adapters = segment.adapters;
    for (int64_t i = segment.first_example; i < segment.last_example; ++i) {
      std::vector<double> example = numbers_of(layer_of(batch(i, i + 1)).value());
      alone.insert(alone.end(), example.begin(), example.end());
    }
  }
  expect_same_bits({{"mixed batch", numbers_of(mixed.value())}}, {{"alone", alone}});
}

TEST_P(ModulesTest, EachAdapterOfASegmentGetsTheGradientThatItGetsAlone) {
  auto gradients_of_layer = [&](const Variable& x) {
    Variable y = layer_of(x);
    Tensor seed = drawn_tensor("seed", {10, kChannels});
    int64_t first = y.row_space()->example_place[0] == 0 ? 0 : 4;
    context.tape.backward(y, seed.rows(first, first + y.rows()).clone());
    std::vector<NamedNumbers> found;
    for (Parameter* parameter : {&other.a, &other.b, &other.gamma}) {
      found.push_back({parameter->name(), numbers_of(parameter->take_gradient())});
    }
    found.push_back({"x", numbers_of(x.grad())});
    return found;
  };
  context.segments = {{0, 2, {{.hooks = &adapter}}}, {2, 4, {{.hooks = &other, .gate = 0.5f}}}};
  std::vector<NamedNumbers> mixed = gradients_of_layer(batch());
  mixed.back().numbers.erase(mixed.back().numbers.begin(),
                             mixed.back().numbers.begin() + 4 * kChannels);
  context.segments = {};
  context.begin_forward();
  activate(other, 0.5f);
  expect_same_bits(mixed, gradients_of_layer(batch(2, 4)));
}

TEST_P(ModulesTest, SegmentsMustCoverTheBatchInOrder) {
  Variable x = batch();
  const std::vector<ActiveAdapter> active{{.hooks = &adapter}};
  for (const std::vector<Segment>& segments : {std::vector<Segment>{{0, 3, active}},
                                               {{0, 1, active}, {2, 4, active}},
                                               {{0, 3, active}, {2, 4, active}},
                                               {{0, 5, active}}}) {
    context.segments = segments;
    EXPECT_THROW(linear_of(x), Error);
    EXPECT_THROW(norm_of(x), Error);
  }
}

TEST_P(ModulesTest, RefusesTwoAdaptersThatReplaceTheSameTensors) {
  context.adapters = {{.hooks = &adapter}, {.hooks = &other}};
  Variable x = batch();
  EXPECT_THROW(norm_of(x), Error);
  context.adapters[1].gate = 0.0f;
  expect_same_numbers(norm_of(x), base.normed(context, x, &adapter.gamma));
}

TEST_P(ModulesTest, ReplacesATableForTheWholeBatchOrNotAtAll) {
  EXPECT_EQ(embedding_replacement(context, base.embedding), nullptr);
  activate(adapter, 1.0f);
  EXPECT_EQ(embedding_replacement(context, base.embedding), &adapter.gamma);
  activate(adapter, 0.0f);
  EXPECT_EQ(embedding_replacement(context, base.embedding), nullptr);
  activate(adapter, 0.5f);
  EXPECT_THROW(embedding_replacement(context, base.embedding), Error);
  context.segments = {{0, 4, {{.hooks = &adapter}}}};
  EXPECT_THROW(embedding_replacement(context, base.embedding), Error);
}

TEST_P(ModulesTest, ATapSeesEachSiteOnceAfterItsAdapters) {
  struct Recorder : Tap {
    void see(const Site& site, const Variable& value) override {
      seen.emplace_back(site.name, value);
    }
    std::vector<std::pair<std::string, Variable>> seen;
  } recorder;
  Variable x = batch();
  activate(adapter, 0.5f);
  Variable untapped = layer_of(x);
  context.tap = &recorder;
  expect_same_numbers(layer_of(x), untapped);
  ASSERT_EQ(recorder.seen.size(), 3u);
  EXPECT_EQ(recorder.seen[0].first, "layer.dense");
  EXPECT_EQ(recorder.seen[1].first, "layer");
  expect_same_numbers(recorder.seen[2].second, untapped);
}

}  // namespace
}  // namespace inlay
