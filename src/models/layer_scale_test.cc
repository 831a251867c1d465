#include "models/layer_scale.h"

#include <gtest/gtest.h>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

// An adapter that trains the factors of the one site.
class TrainsFactors : public SiteHooks {
 public:
  explicit TrainsFactors(Parameter& factors) : hook_(factors) {}
  SiteHook* at(std::size_t) override { return &hook_; }

 private:
  struct Hook : SiteHook {
    explicit Hook(Parameter& by) : factors(by) {}
    Replacements replacements() override { return {.weight = &factors}; }
    Parameter& factors;
  };
  Hook hook_;
};

Tensor numbers(const Shape& shape, const std::vector<double>& values) {
  return tensor_of(shape, DType::kF32, values.data());
}
std::vector<float> values_of(const Tensor& tensor) {
  return {tensor.data<float>(), tensor.data<float>() + tensor.count()};
}

class LayerScaleTest : public testing::Test {
 protected:
  LayerScaleTest() { context_.begin_forward(); }

  // Of two rows, (1, 2) and (3, 4).
  Variable input() { return context_.tape.input(numbers({2, 2}, {1, 2, 3, 4}), &rows_); }

  Context context_{DType::kF32};
  RowSpace rows_ = make_row_space({1, 1});
  Tensor factors_ = numbers({2}, {0.5, -2});
  LayerScale scale_{{.name = "scale", .kind = SiteKind::kParameter, .weight = factors_}, factors_};
};

TEST_F(LayerScaleTest, MultipliesEachChannel) {
  Variable x = input();
  Variable y = scaled(context_, scale_, x);
  EXPECT_EQ(values_of(y.value()), (std::vector<float>{0.5, -4, 1.5, -8}));
  context_.tape.backward(y, numbers({2, 2}, {1, 1, 2, 2}));
  EXPECT_EQ(values_of(x.grad()), (std::vector<float>{0.5, -2, 1, -4}));
}

TEST_F(LayerScaleTest, IsTrainedWhereAnAdapterReplacesIt) {
  Parameter trained("scale", numbers({2}, {2, 3}));
  TrainsFactors adapter(trained);
  context_.adapters = {{.hooks = &adapter}};
  Variable y = scaled(context_, scale_, input());
  EXPECT_EQ(values_of(y.value()), (std::vector<float>{2, 6, 6, 12}));
  context_.tape.backward(y, numbers({2, 2}, {1, 1, 1, 1}));
  EXPECT_EQ(values_of(trained.take_gradient()), (std::vector<float>{4, 6}));
}

TEST(LayerScale, IsABareTensorOfTheFiles) {
  std::vector<NamedTensor> made;
  WeightSource weights(NewWeights{.made = &made}, "net.", "a test");
  SiteMaker make(weights, 3);
  LayerScale scale = make_layer_scale(make, "layer.4.lambda1", 4, 3);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].name, "net.layer.4.lambda1");
  EXPECT_EQ(made[0].tensor.shape(), (Shape{3}));
  EXPECT_EQ(scale.site.name, "layer.4.lambda1");
  EXPECT_EQ(scale.site.kind, SiteKind::kParameter);
  EXPECT_EQ(scale.site.layer, 4);
}

}  // namespace
}  // namespace inlay
