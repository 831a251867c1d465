#include "eval/metrics/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace inlay {
namespace {

// Tokens of probabilities 1/2, 1/8 and 1/4: 1 + 3 + 2 bits over 3 tokens.
TEST(Perplexity, IsOverTheTokensOfAllTexts) {
  std::vector<NamedTokens> texts(2);
  texts[0].add(std::log(2.0));
  texts[0].add(std::log(8.0));
  texts[1].add(std::log(4.0));
  EXPECT_NEAR(texts[0].perplexity(), 4, 1e-12);
  Json metrics;
  add_perplexity(metrics, texts);
  EXPECT_NEAR(metrics.at("loss").get<double>(), 2 * std::log(2.0), 1e-12);
  EXPECT_NEAR(metrics.at("negative_loss").get<double>(), -2 * std::log(2.0), 1e-12);
  EXPECT_NEAR(metrics.at("perplexity").get<double>(), 4, 1e-12);
}

// A text of probability 1 and one of 1/4: no resample leaves that range, and some reach its ends.
TEST(Perplexity, HasIntervalsFromResamplesOfWholeTexts) {
  std::vector<NamedTokens> texts(2);
  texts[0].add(0);
  texts[1].add(std::log(4.0));
  Json metrics;
  add_perplexity(metrics, texts);
  EXPECT_NEAR(metrics.at("perplexity").get<double>(), 2, 1e-12);
  EXPECT_NEAR(metrics.at("perplexity_interval").at(0).get<double>(), 1, 1e-12);
  EXPECT_NEAR(metrics.at("perplexity_interval").at(1).get<double>(), 4, 1e-12);
  EXPECT_NEAR(metrics.at("loss_interval").at(1).get<double>(), std::log(4.0), 1e-12);
}

TEST(Perplexity, IsNullWithoutTokens) {
  Json metrics{{"tokens", 0}};
  add_perplexity(metrics, std::vector<NamedTokens>(2));
  EXPECT_EQ(
      metrics,
      Json(
          {{"tokens", 0}, {"loss", nullptr}, {"negative_loss", nullptr}, {"perplexity", nullptr}}));
}

}  // namespace
}  // namespace inlay
