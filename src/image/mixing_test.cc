#include "image/mixing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace inlay {
namespace {

constexpr int kDraws = 4000;

Stream mixing_item(int i) { return {11, "mix/0/" + std::to_string(i)}; }

// Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2 a + 1)).
TEST(BetaSample, HasItsMeanAndVariance) {
  for (double alpha : {0.1, 0.4, 1.0, 2.0, 8.0}) {
    const double variance = 1 / (4 * (2 * alpha + 1));
    double sum = 0, squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = beta_sample(mixing_item(i), alpha);
      EXPECT_GE(x, 0);
      EXPECT_LE(x, 1);
      sum += x;
      squares += (x - 0.5) * (x - 0.5);
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(variance / kDraws)) << alpha;
    EXPECT_NEAR(squares / kDraws, variance, 0.1 * variance) << alpha;
  }
}

// Beta(1, 1) is uniform; of Beta(1/2, 1/2), the arcsine law, a third lies below 1/4.
TEST(BetaSample, HasItsDistribution) {
  int uniform = 0, arcsine = 0;
  for (int i = 0; i < kDraws; ++i) {
    uniform += beta_sample(mixing_item(i), 1) < 0.25 ? 1 : 0;
    arcsine += beta_sample(mixing_item(i), 0.5) < 0.25 ? 1 : 0;
  }
  const double error = 5 * std::sqrt(kDraws * 0.25);
  EXPECT_NEAR(uniform, kDraws / 4.0, error);
  EXPECT_NEAR(arcsine, kDraws / 3.0, error);
}

TEST(BetaSample, IsANumberForTheLeastAlpha) {
  for (int i = 0; i < 100; ++i) {
    const double x = beta_sample(mixing_item(i), 1e-9);
    EXPECT_TRUE(x < 1e-6 || x > 1 - 1e-6) << x;
  }
}

TEST(CutRectangle, HasTheShareThatIsNotKeptOrLessAtTheEdge) {
  int whole = 0;
  for (int i = 0; i < 500; ++i) {
    const CutRectangle cut = cut_rectangle(mixing_item(i), 0.75, 40, 20);  // sides of a half
    EXPECT_GE(cut.left, 0);
    EXPECT_GE(cut.top, 0);
    EXPECT_LE(cut.left + cut.width, 40);
    EXPECT_LE(cut.top + cut.height, 20);
    EXPECT_GE(cut.width, 10);  // around a corner, half of each side is left
    EXPECT_GE(cut.height, 5);
    whole += cut.width == 20 && cut.height == 10 ? 1 : 0;
  }
  // The centre is at 10 to 30 of 40 columns and 5 to 15 of 20 rows.
  const double chance = (21.0 / 40) * (11.0 / 20);
  EXPECT_NEAR(whole, 500 * chance, 5 * std::sqrt(500 * chance * (1 - chance)));
}

TEST(CutRectangle, IsNothingWhereAllIsKept) {
  const CutRectangle cut = cut_rectangle(mixing_item(0), 1, 40, 20);
  EXPECT_EQ(cut.width * cut.height, 0);
}

TEST(Blending, MixupIsAMeanOfEveryPixel) {
  std::vector<float> pixels = {1, 2, 3, -4, 0, 8}, partner = {5, -2, 3, 4, 8, 0};
  blend({.share = 0.75f}, 2, partner, pixels);
  EXPECT_EQ(pixels, (std::vector<float>{2, 1, 3, -2, 2, 6}));
}

TEST(Blending, CutMixTakesTheRectangleAlone) {
  std::vector<float> pixels(3 * 2 * 3, 1), partner(pixels.size(), 2);  // 3 wide, 2 high
  blend({.share = 2.0f / 3, .cut = CutRectangle{1, 0, 1, 2}}, 3, partner, pixels);
  EXPECT_EQ(pixels, (std::vector<float>{1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1}));
}

TEST(Blending, TheShareOfACutIsThatOfItsPixels) {
  for (int i = 0; i < 50; ++i) {
    const Blend how = drawn_blend({.cutmix = 1}, mixing_item(i), 14, 10);
    ASSERT_TRUE(how.cut.has_value());
    std::vector<float> pixels(14 * 10 * 3, 1), partner(pixels.size(), 0);
    blend(how, 14, partner, pixels);
    double kept = 0;
    for (float pixel : pixels) kept += static_cast<double>(pixel);
    EXPECT_NEAR(kept / static_cast<double>(pixels.size()), how.share, 1e-6) << i;
  }
}

TEST(Blending, IsAFunctionOfTheStreamAlone) {
  const Augmentation how = {.mixup = 0.4, .cutmix = 1};
  int cuts = 0;
  for (int i = 0; i < 400; ++i) {
    const Blend first = drawn_blend(how, mixing_item(i), 8, 8),
                second = drawn_blend(how, mixing_item(i), 8, 8);
    EXPECT_EQ(first.share, second.share);
    EXPECT_EQ(first.cut.has_value(), second.cut.has_value());
    cuts += first.cut.has_value() ? 1 : 0;
    EXPECT_FALSE(drawn_blend({.mixup = 0.4}, mixing_item(i), 8, 8).cut.has_value());
  }
  EXPECT_NEAR(cuts, 200, 5 * std::sqrt(400 * 0.25));
  EXPECT_NE(drawn_blend(how, mixing_item(0), 8, 8).share,
            drawn_blend(how, mixing_item(1), 8, 8).share);
}

}  // namespace
}  // namespace inlay
