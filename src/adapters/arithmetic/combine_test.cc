#include "adapters/arithmetic/combine.h"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <cstring>
#include <deque>

#include "adapters/arithmetic/singular_values.h"
#include "tensor/matrix_view.h"

namespace inlay {
namespace {

using Eigen::MatrixXd;

Tensor drawn(const Shape& shape, const std::string& name) {
  Stream stream(7, name);
  Tensor tensor = Tensor::empty(shape, DType::kF32);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = stream.normal(static_cast<uint64_t>(i));
  return tensor;
}

// A base of three linear layers of unlike shapes, without anything to run them.
class CombineTest : public testing::Test {
 protected:
  CombineTest() {
    add_site("layer.0.query", 10, 12);
    add_site("layer.0.output", 12, 9);
    add_site("layer.1.query", 10, 12);
    for (Site& site : sites_) base_.sites.push_back(&site);
  }

  std::unique_ptr<Adapter> adapter(const std::string& method, const std::string& name) const {
    auto made = Adapter::create(name, parse_method(method), base_, 0);
    for (Adapter::Entry& entry : made->entries())
      entry.parameter.set_value(drawn(entry.parameter.shape(), name + entry.parameter.name()));
    return made;
  }

  // dW by the method's own merge: W + dW - W in double.
  static MatrixXd update(Adapter& adapter, const Site& site) {
    MergedTensors merged{site.weight.to(DType::kF64), site.bias.to(DType::kF64)};
    MatrixXd before = const_matrix<double>(merged.weight);
    if (adapter.at(site.index) == nullptr) return MatrixXd::Zero(site.out, site.in);
    EXPECT_TRUE(adapter.at(site.index)->merge(merged));
    return const_matrix<double>(merged.weight) - before;
  }
  static MatrixXd bias_update(Adapter& adapter, const Site& site) {
    MergedTensors merged{site.weight.to(DType::kF64), site.bias.to(DType::kF64)};
    MatrixXd before = const_matrix<double>(merged.bias);
    EXPECT_TRUE(adapter.at(site.index)->merge(merged));
    return const_matrix<double>(merged.bias) - before;
  }

  // The largest distance, over sites, from sum_i w_i dW_i, relative to its norm.
  double distance(const Combined& combined, const std::vector<WeightedAdapter>& inputs) const {
    double largest = 0;
    for (const Site& site : sites_) {
      MatrixXd exact = MatrixXd::Zero(site.out, site.in);
      for (const WeightedAdapter& input : inputs)
        exact += input.weight * update(*input.adapter, site);
      double error = (update(*combined.adapter, site) - exact).norm();
      largest = std::max(largest, exact.norm() > 0 ? error / exact.norm() : error);
    }
    return largest;
  }

  Combined combine(const std::vector<WeightedAdapter>& inputs,
                   const CombineSettings& settings) const {
    return combine_adapters(inputs, settings, base_, "combined");
  }

  std::string refusal(const std::vector<WeightedAdapter>& inputs,
                      const CombineSettings& settings) const {
    try {
      combine(inputs, settings);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }

  BaseFacts base_;
  std::deque<Site> sites_;

 private:
  void add_site(const std::string& name, int64_t in, int64_t out) {
    Site site{.name = name, .in = in, .out = out};
    site.weight = drawn({out, in}, name + "/weight");
    site.bias = drawn({out}, name + "/bias");
    site.index = sites_.size();
    sites_.push_back(std::move(site));
  }
};

// Each adapter's scale counts once, whatever it is.
TEST_F(CombineTest, Trap1EveryScaleCountsOnce) {
  for (double ratio : {0.5, 1.0, 2.0, 4.0}) {
    for (const char* rslora : {"false", "true"}) {
      std::string settings = fmt::format(",alpha={},use_rslora={}]", ratio * 4, rslora);
      auto a = adapter("lora[r=4" + settings, "a"), b = adapter("lora[r=4" + settings, "b");
      std::vector<WeightedAdapter> inputs{{a.get(), 0.7}, {b.get(), -1.5}};
      for (const char* how : {"cat", "svd"}) {
        CombineSettings full{.how = how, .rank = how[0] == 's' ? 12 : 0};
        Combined combined = combine(inputs, full);
        EXPECT_LT(distance(combined, inputs), 1e-5) << how << settings;
        EXPECT_LT(combined.relative_error(), 1e-5) << how << settings;
        Json config = combined.adapter->config();
        EXPECT_EQ(config.at("alpha").get<double>(), config.at("r").get<double>());
        EXPECT_FALSE(config.at("use_rslora").get<bool>());
      }
    }
  }
}

// A rule that loses something says how much, and that is true.
TEST_F(CombineTest, Trap2EveryLossIsReported) {
  auto a = adapter("lora[r=3,alpha=6]", "a"), b = adapter("lora[r=3,alpha=3]", "b");
  std::vector<WeightedAdapter> inputs{{a.get(), 1.0}, {b.get(), 1.0}};
  for (const std::string& how : combine_rules()) {
    if (how == "negate") continue;
    bool prunes = how.find("dare") != how.npos || how.find("ties") != how.npos ||
                  how.find("prune") != how.npos;
    Combined combined = combine(inputs, {.how = how, .density = prunes ? 0.6 : 0.0, .seed = 3});
    double errors = 0, sizes = 0;
    ASSERT_EQ(combined.sites.size(), sites_.size()) << how;
    for (const SiteError& found : combined.sites) {
      MatrixXd exact = update(*a, *found.site) + update(*b, *found.site);
      double error = (update(*combined.adapter, *found.site) - exact).norm();
      EXPECT_NEAR(found.error, error, 1e-5 * exact.norm()) << how;
      EXPECT_NEAR(found.exact, exact.norm(), 1e-5 * exact.norm()) << how;
      errors += error * error;
      sizes += exact.squaredNorm();
    }
    double relative = std::sqrt(errors / sizes);
    EXPECT_NEAR(combined.relative_error(), relative, 1e-5) << how;
    double least = how == "cat" ? 0 : how == "linear" ? 0.5 : 0.01;  // linear: cross terms
    EXPECT_GE(relative, least) << how;
    EXPECT_LT(relative, how == "cat" ? 1e-6 : 10) << how;
  }
}

TEST_F(CombineTest, Trap4RanksScalesAndBiasesSurvive) {
  auto a = adapter("lora[r=2,alpha=8,rank_pattern='layer.1.query':5,use_rslora=true]", "a");
  auto b =
      adapter("lora[r=3,alpha=1,alpha_pattern='query':9,lora_bias=true,target_modules=query]", "b");
  std::vector<WeightedAdapter> inputs{{a.get(), 0.5}, {b.get(), 2.0}};
  for (const char* how : {"cat", "svd"}) {
    Combined combined = combine(inputs, {.how = how, .rank = how[0] == 's' ? 12 : 0});
    EXPECT_LT(distance(combined, inputs), 1e-5) << how;
    EXPECT_LT((bias_update(*combined.adapter, sites_[0]) - 2.0 * bias_update(*b, sites_[0])).norm(),
              1e-5);
    EXPECT_EQ(bias_update(*combined.adapter, sites_[1]).norm(), 0);
  }
  Combined cat = combine(inputs, {});
  EXPECT_EQ(cat.sites[0].rank, 2 + 3);
  EXPECT_EQ(cat.sites[1].rank, 2);
  EXPECT_EQ(cat.sites[2].rank, 5 + 3);
  std::string text = refusal(inputs, {.how = "linear"});
  EXPECT_NE(text.find("ranks 2 and 3 at layer.0.query"), text.npos) << text;
}

TEST_F(CombineTest, Trap4DoraIsTakenWholeOrRefusedByName) {
  auto a = adapter("lora[r=2,use_dora=true]", "dora"), b = adapter("lora[r=2]", "plain");
  std::vector<WeightedAdapter> inputs{{a.get(), 0.5}, {b.get(), 1.0}};
  for (const char* how : {"cat", "linear"}) {
    std::string text = refusal(inputs, {.how = how});
    EXPECT_NE(text.find("dora is LoRA with use_dora"), text.npos) << text;
  }
  EXPECT_LT(distance(combine(inputs, {.how = "svd", .rank = 12}), inputs), 1e-5);
  auto c = adapter("bitfit", "biases");
  std::string text = refusal({{c.get(), 1.0}}, {});
  EXPECT_NE(text.find("biases is of method bitfit"), text.npos) << text;
}

TEST_F(CombineTest, AGatedUpdateIsRefusedByName) {
  auto a = adapter("lora[r=2,use_gating=true]", "gated"), b = adapter("lora[r=2]", "plain");
  for (const char* how : {"cat", "linear", "svd"}) {
    std::string text = refusal({{a.get(), 0.5}, {b.get(), 1.0}}, {.how = how});
    EXPECT_NE(text.find("gated is LoRA with use_gating"), text.npos) << text;
  }
}

TEST_F(CombineTest, Trap5TheAverageOfEqualAdaptersIsThatAdapter) {
  auto a = adapter("lora[r=3,alpha=6]", "a");
  std::vector<WeightedAdapter> inputs{{a.get(), 0.25}, {a.get(), 0.75}};
  for (const char* how : {"cat", "svd"}) {
    Combined combined = combine(inputs, {.how = how});
    EXPECT_LT(distance(combined, {{a.get(), 1.0}}), 1e-6) << how;
  }
}

TEST_F(CombineTest, NegationTakesTheAdapterOff) {
  auto a = adapter("lora[r=3,alpha=6,lora_bias=true]", "a");
  Combined negated = combine({{a.get(), 1.0}}, {.how = "negate"});
  EXPECT_LT(distance(negated, {{a.get(), -1.0}}), 1e-6);
  EXPECT_LT((bias_update(*negated.adapter, sites_[0]) + bias_update(*a, sites_[0])).norm(), 1e-5);
  EXPECT_NE(refusal({{a.get(), 1.0}, {a.get(), 1.0}}, {.how = "negate"}), "");
}

// Eckart and Young: what rank r leaves out is the rest of the spectrum.
TEST_F(CombineTest, SvdLosesExactlyTheSmallerSingularValues) {
  auto a = adapter("lora[r=4]", "a"), b = adapter("lora[r=4]", "b");
  std::vector<WeightedAdapter> inputs{{a.get(), 1.0}, {b.get(), 1.0}};
  Combined combined = combine(inputs, {.how = "svd", .rank = 3});
  for (const SiteError& found : combined.sites) {
    MatrixXd exact = update(*a, *found.site) + update(*b, *found.site);
    Eigen::VectorXd s = Eigen::JacobiSVD<MatrixXd>(exact).singularValues();
    EXPECT_NEAR(found.error, s.tail(s.size() - 3).norm(), 1e-5 * s.norm());
    EXPECT_EQ(found.rank, 3);
  }
}

// What the layer's size allows is enough for any sum.
TEST_F(CombineTest, CatNeverExceedsTheRankOfALayer) {
  auto a = adapter("lora[r=8]", "a"), b = adapter("lora[r=8]", "b");
  std::vector<WeightedAdapter> inputs{{a.get(), 1.0}, {b.get(), 1.0}};
  Combined combined = combine(inputs, {});
  EXPECT_EQ(combined.sites[0].rank, 10);
  EXPECT_EQ(combined.sites[1].rank, 9);
  EXPECT_LT(distance(combined, inputs), 1e-5);
}

TEST_F(CombineTest, DareDependsOnItsSeedAlone) {
  auto a = adapter("lora[r=4]", "a"), b = adapter("lora[r=4]", "b");
  std::vector<WeightedAdapter> inputs{{a.get(), 1.0}, {b.get(), 1.0}};
  auto first_a = [&](uint64_t seed) {
    Combined combined = combine(inputs, {.how = "dare_linear", .density = 0.5, .seed = seed});
    return combined.adapter->entries().front().parameter.value().clone();
  };
  Tensor one = first_a(1), again = first_a(1), other = first_a(2);
  EXPECT_EQ(std::memcmp(one.raw(), again.raw(), one.byte_count()), 0);
  EXPECT_NE(std::memcmp(one.raw(), other.raw(), one.byte_count()), 0);
  // Density 1 drops nothing.
  Combined all = combine(inputs, {.how = "dare_linear", .density = 1});
  Combined linear = combine(inputs, {.how = "linear"});
  EXPECT_EQ(all.relative_error(), linear.relative_error());
}

TEST_F(CombineTest, SettingsWithoutEffectAreRefused) {
  auto a = adapter("lora[r=2]", "a");
  EXPECT_NE(refusal({{a.get(), 1.0}}, {.how = "cat", .rank = 4}), "");
  EXPECT_NE(refusal({{a.get(), 1.0}}, {.how = "svd", .density = 0.5}), "");
  EXPECT_NE(refusal({{a.get(), 1.0}}, {.how = "ties"}), "");
  EXPECT_NE(refusal({{a.get(), 1.0}}, {.how = "ties", .density = 1.5}), "");
  std::string text = refusal({{a.get(), 1.0}}, {.how = "ty"});
  EXPECT_NE(text.find("magnitude_prune_svd"), text.npos) << text;
}

TEST(MergeRules, KeepLargestKeepsTheShareAndTheFirstOfEquals) {
  MatrixXd tensor(1, 6);
  tensor << 3, -1, 2, -2, 2, 0.5;
  keep_largest(tensor, 0.5);
  MatrixXd expected(1, 6);
  expected << 3, 0, 2, -2, 0, 0;
  EXPECT_EQ(tensor, expected);
  keep_largest(tensor, 0.1);  // fewer than one
  EXPECT_EQ(tensor.norm(), 0);
}

TEST(MergeRules, KeepRandomKeepsTheMean) {
  MatrixXd tensor = MatrixXd::Ones(200, 200);
  keep_random(tensor, 0.25, Stream(5, "test"));
  EXPECT_NEAR(tensor.mean(), 1.0, 0.05);  // three standard deviations: 0.026
  EXPECT_EQ(tensor.maxCoeff(), 4.0);
  EXPECT_EQ(tensor.minCoeff(), 0.0);
}

// Worked by hand: signs +, -, + (a draw) are elected by sums 1, -1, 0; the frequency vote turns the
// second around.
TEST(MergeRules, TiesAveragesWhatAgrees) {
  MatrixXd a(1, 3), b(1, 3), c(1, 3);
  a << 2, 1, 1;
  b << -4, 1, -1;
  c << 3, -3, 0;
  MergeRule rule{.elect = true};
  MatrixXd total = merge_tensors({a, b, c}, {1, 1, 1}, rule, 0, "t");
  MatrixXd expected(1, 3);
  expected << 2.5, -3, 1;
  EXPECT_EQ(total, expected);
  rule.vote = SignVote::kFrequency;
  expected << 2.5, 1, 1;
  EXPECT_EQ(merge_tensors({a, b, c}, {1, 1, 1}, rule, 0, "t"), expected);
  // A negative weight turns its tensor around before the vote.
  rule.vote = SignVote::kTotal;
  expected << 3, -2, 1;
  EXPECT_EQ(merge_tensors({a, b, c}, {1, -1, 1}, rule, 0, "t"), expected);
}

TEST(SingularValues, AgreeWithJacobisWayThroughFactorsAndWhole) {
  for (auto [rows, columns] : {std::pair{20, 7}, std::pair{7, 20}}) {
    MatrixXd b =
        MatrixXd::NullaryExpr(rows, 3, [s = Stream(1, "b")](Eigen::Index i, Eigen::Index j) {
          return double{s.normal(static_cast<uint64_t>(i * 3 + j))};
        });
    MatrixXd a =
        MatrixXd::NullaryExpr(3, columns, [s = Stream(1, "a")](Eigen::Index i, Eigen::Index j) {
          return double{s.normal(static_cast<uint64_t>(i * 50 + j))};
        });
    MatrixXd product = b * a;
    Eigen::VectorXd expected = Eigen::JacobiSVD<MatrixXd>(product).singularValues();
    for (const Svd& svd : {svd_of_product(b, a), svd_of(product)}) {
      EXPECT_LT((svd.u * svd.s.asDiagonal() * svd.v.transpose() - product).norm(), 1e-10);
      EXPECT_LT((svd.s.head(3) - expected.head(3)).norm(), 1e-10);
      EXPECT_LT(
          (svd.v.leftCols(3).transpose() * svd.v.leftCols(3) - MatrixXd::Identity(3, 3)).norm(),
          1e-10);
      EXPECT_LT(
          (svd.u.leftCols(3).transpose() * svd.u.leftCols(3) - MatrixXd::Identity(3, 3)).norm(),
          1e-10);
    }
  }
}

}  // namespace
}  // namespace inlay
