// What the methods for images compute, by closed forms, on a tiny ViT of two layers and 3 x 3
// patches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "adapters/adapter.h"
#include "autograd/gradient_check.h"
#include "base/source_dir.h"
#include "models/model.h"
#include "models/pixel_source.h"
#include "nn/modules.h"

namespace inlay {
namespace {

double quick_gelu(double x) { return x / (1 + std::exp(-1.702 * x)); }
double gelu(double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }

class Ramp : public PixelSource {
 public:
  MapSize size() const override { return {12, 12}; }
  void read(float* pixels) const override {
    for (int i = 0; i < 12 * 12 * 3; ++i) pixels[i] = static_cast<float>(i % 7) / 7;
  }
};

// What every layer hands to the next, by the number of the layer.
class LayerOutputs : public Tap {
 public:
  void see(const Site& site, const Variable& value) override {
    if (site.role == SiteRole::kLayerOutput) outputs.emplace(site.layer, value);
  }
  std::map<int, Variable> outputs;
};

class VisionMethods : public testing::Test {
 protected:
  static constexpr int64_t kHidden = 16;

  VisionMethods() : model_(load_model(source_dir() / "tests/golden/models/vit-image")) {}

  void make(const std::string& method) {
    adapter_ = Adapter::create("a", parse_method(method), model_->facts(), 1);
    adapter_->convert(DType::kF64);
  }

  // Every tensor of this part.
  void fill(const std::string& part, double value) {
    bool any = false;
    for (Adapter::Entry& entry : adapter_->entries()) {
      if (entry.part != part) continue;
      any = true;
      Tensor filled = Tensor::empty(entry.parameter.shape(), DType::kF64);
      std::fill_n(filled.mutable_data<double>(), filled.count(), value);
      entry.parameter.set_value(std::move(filled));
    }
    ASSERT_TRUE(any) << part;
  }

  // What the hook at the first site with this role adds for a block that reads these rows of equal
  // numbers, and gives them, too; the residual is as large. One number a row.
  std::vector<double> added(SiteRole role, const std::vector<double>& rows, const RowSpace& space) {
    context_.tape.set_recording(false);
    context_.begin_forward();
    Tensor tensor = Tensor::empty({space.rows(), kHidden}, DType::kF64);
    for (int64_t i = 0; i < tensor.count(); ++i)
      tensor.mutable_data<double>()[i] = rows[static_cast<std::size_t>(i / kHidden)];
    Variable x = context_.tape.constant(std::move(tensor), &space);
    for (const Site* site : adapter_->sites()) {
      if (site->role != role) continue;
      Tensor y = adapter_->at(site->index)->hidden(context_, {x, x, x, nullptr}).value();
      std::vector<double> first;
      first.reserve(rows.size());
      for (int64_t row = 0; row < y.dim(0); ++row) first.push_back(y.data<double>()[row * kHidden]);
      return first;
    }
    ADD_FAILURE() << "no such site";
    return {};
  }

  // A class token and a map of one line of two places.
  static RowSpace line_of_two() {
    RowSpace space = make_row_space({3});
    space.map = {1, 2};
    space.before_map = 1;
    return space;
  }

  static void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9) << i;
  }

  std::shared_ptr<const Model> model_;
  std::unique_ptr<Adapter> adapter_;
  Context context_{DType::kF64};
};

TEST_F(VisionMethods, AdaptFormerIsAScaledBottleneckWithARelu) {
  make("adaptformer[bottleneck=4,scaling=0.1]");
  fill("adaptformer.down.weight", 0.5);
  fill("adaptformer.down.bias", 0.1);
  fill("adaptformer.up.weight", 0.25);
  fill("adaptformer.up.bias", 1);
  RowSpace space = make_row_space({2});
  // relu(16 / 2 + 0.1), four times a quarter of it and one; nothing but that one where x is -1.
  expect_near(added(SiteRole::kFeedForwardBlock, {1, -1}, space), {0.91, 0.1});
}

TEST_F(VisionMethods, ConvpassSeesNeighboursOfPatchesAndOfNothingElse) {
  make("convpass[dim=1,scale=0.5]");
  fill("convpass.down.weight", 1.0 / kHidden);
  fill("convpass.conv.weight", 1);
  fill("convpass.conv.bias", 0.25);
  fill("convpass.up.weight", 2);
  fill("convpass.up.bias", 0.5);
  auto expected = [](double seen) { return 0.5 * (2 * quick_gelu(seen + 0.25) + 0.5); };
  double both = quick_gelu(1) + quick_gelu(-2);
  expect_near(added(SiteRole::kAttentionBlock, {3, 1, -2}, line_of_two()),
              {expected(quick_gelu(3)), expected(both), expected(both)});
}

TEST_F(VisionMethods, ConvpassFiltersStartAsTheIdentity) {
  make("convpass[dim=3]");
  for (const Adapter::Entry& entry : adapter_->entries()) {
    if (entry.part != "convpass.conv.weight") continue;
    const Tensor& filters = entry.parameter.value();
    ASSERT_EQ(filters.shape(), (Shape{3, 3, 3, 3}));
    for (int64_t i = 0; i < filters.count(); ++i) {
      bool middle = i % 9 == 4, own = i / 27 == i / 9 % 3;
      EXPECT_EQ(filters.data<double>()[i], middle && own ? 1 : 0) << i;
    }
  }
}

// Of rows of equal numbers a norm leaves its addend alone.
TEST_F(VisionMethods, MonaAveragesItsFiltersAndAddsTheirInput) {
  make("mona[dim=1]");
  fill("mona.norm.bias", 2);
  fill("mona.normed_share", 0.5);
  fill("mona.plain_share", 0.25);
  fill("mona.down.weight", 1.0 / kHidden);
  for (const char* filters : {"mona.conv3.weight", "mona.conv5.weight"}) fill(filters, 1);
  fill("mona.conv7.weight", 4);
  fill("mona.projector.weight", 0.5);
  fill("mona.up.weight", 3);
  fill("mona.up.bias", 0.125);
  // The sum of output and residual is twice a row's number.
  auto read = [](double number) { return 2 * 0.5 + 2 * number * 0.25; };
  auto expected = [](double own, double seen) {
    return 3 * gelu(1.5 * (own + seen * (1 + 1 + 4) / 3)) + 0.125;
  };
  double both = read(1) + read(-2);
  expect_near(added(SiteRole::kFeedForwardBlock, {3, 1, -2}, line_of_two()),
              {expected(read(3), read(3)), expected(read(1), both), expected(read(-2), both)});
}

TEST_F(VisionMethods, PromptsStartWithinXaviersBoundOfAPatch) {
  make("vpt[tokens=50]");
  const Tensor& rows = adapter_->entries().front().parameter.value();
  ASSERT_EQ(rows.shape(), (Shape{50, kHidden}));
  double bound = std::sqrt(6.0 / (3 * 4 * 4 + kHidden)), largest = 0;
  for (int64_t i = 0; i < rows.count(); ++i)
    largest = std::max(largest, std::fabs(rows.data<double>()[i]));
  EXPECT_LE(largest, bound + 1e-7);
  EXPECT_GT(largest, 0.98 * bound);
}

// Behind the class token stand the adapter's own rows again, whatever the first layer made of them.
TEST_F(VisionMethods, DeepPromptsReplaceWhatALayerGaveForThem) {
  make("vpt[tokens=2,deep=true]");
  TokenSequence image{.ids = {}, .types = {}, .asked = {}, .pixels = std::make_shared<Ramp>()};
  std::vector<const TokenSequence*> two{&image, &image};
  TokenBatch batch = make_token_batch(two, {});
  LayerOutputs layers;
  context_.tape.set_recording(false);
  context_.adapters = {{.hooks = adapter_.get()}};
  context_.tap = &layers;
  model_->encode(context_, batch);
  ASSERT_EQ(adapter_->sites().size(), 2u);
  const Tensor& rows = adapter_->entries().back().parameter.value();
  const Tensor &first = layers.outputs.at(0).value(), &last = layers.outputs.at(1).value();
  ASSERT_EQ(first.dim(0), 2 * (1 + 2 + 9));
  for (int64_t image_number : {0, 1}) {
    double changed = 0;
    for (int64_t i = 0; i < 2 * kHidden; ++i) {
      int64_t at = (image_number * 12 + 1) * kHidden + i;
      EXPECT_NEAR(first.data<double>()[at], rows.data<double>()[i], 1e-12) << i;
      changed = std::max(changed, std::fabs(last.data<double>()[at] - rows.data<double>()[i]));
    }
    EXPECT_GT(changed, 1e-3);  // the last layer's are left as they are
  }
}

TEST_F(VisionMethods, DeepPromptsRefuseOtherVirtualTokensBesideThem) {
  make("vpt[tokens=2,deep=true]");
  auto other = Adapter::create("b", parse_method("vpt[tokens=1]"), model_->facts(), 2);
  other->convert(DType::kF64);
  TokenSequence image{.ids = {}, .types = {}, .asked = {}, .pixels = std::make_shared<Ramp>()};
  std::vector<const TokenSequence*> one{&image};
  TokenBatch batch = make_token_batch(one, {});
  context_.tape.set_recording(false);
  context_.adapters = {{.hooks = adapter_.get()}, {.hooks = other.get()}};
  try {
    model_->encode(context_, batch);
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("deep=true"), std::string::npos) << error.what();
  }
}

TEST_F(VisionMethods, SsfScalesAndShiftsLinearLayersAndConvolutions) {
  make("ssf");
  fill("ssf_scale", 3);
  fill("ssf_shift", 0.5);
  context_.tape.set_recording(false);
  context_.begin_forward();
  RowSpace space = make_row_space({1});
  std::map<SiteKind, int> seen;
  for (const Site* site : adapter_->sites()) {
    ++seen[site->kind];
    SiteHook* hook = adapter_->at(site->index);
    Tensor tensor = Tensor::empty({1, site->out}, DType::kF64);
    std::fill_n(tensor.mutable_data<double>(), tensor.count(), 2.0);
    Variable y = context_.tape.constant(std::move(tensor), &space);
    Variable found;
    if (site->kind == SiteKind::kConv) {
      ConvSite module{*site, FrozenConv(site->conv, site->weight, site->bias)};
      found = hook->conv(context_, module, Variable(), y);
    } else {
      LinearSite module{*site,
                        FrozenWeight(site->weight, site->bias, onednn::Layout::kOutIn, nullptr)};
      found = hook->linear(context_, module, Variable(), y);
    }
    for (int64_t i = 0; i < site->out; ++i) EXPECT_EQ(found.value().data<double>()[i], 6.5);
  }
  EXPECT_EQ(seen[SiteKind::kConv], 1);
  EXPECT_EQ(seen[SiteKind::kLinear], 12);
}

}  // namespace
}  // namespace inlay
