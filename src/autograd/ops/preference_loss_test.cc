#include "autograd/ops/preference_loss.h"

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

// Two pairs of 2 and 3, and of 1 and 2 tokens.
PreferencePairs two_pairs(bool refers) {
  PreferencePairs pairs{.offsets = {0, 2, 5, 6, 8}, .reference = {}, .space = rows_alone(2)};
  if (refers) pairs.reference = {-1.5, -2.25, -0.5, -3};
  return pairs;
}

const std::vector<double> kTokenLosses{0.5, 1.25, 2, 0.25, 0.75, 0.125, 1.5, 3};

struct Result {
  std::vector<double> losses, slopes;
};

// Walked back from with a seed of its own for each pair.
Result run(const PairLossFunction& loss, bool refers, const std::vector<double>& token_losses) {
  OpContext context(DType::kF64);
  RowSpace rows = rows_alone(8);
  PreferencePairs pairs = two_pairs(refers);
  Variable x = context.tape.input(tensor_of({8, 1}, DType::kF64, token_losses.data()), &rows);
  Variable y = preference_loss(context, x, pairs, loss, 2);
  std::vector<double> seeds{1, 0.5};
  context.tape.backward(y, tensor_of({2, 1}, DType::kF64, seeds.data()));
  Result result;
  for (int64_t p = 0; p < 2; ++p) result.losses.push_back(in(y.value()).load<double>(p));
  for (int64_t t = 0; t < 8; ++t) result.slopes.push_back(in(x.grad()).load<double>(t));
  return result;
}

PairLossFunction dpo(const DpoOptions& options) {
  return [=](const AnswerLikelihood& chosen, const AnswerLikelihood& rejected) {
    return dpo_loss(chosen, rejected, options);
  };
}

PairLossFunction orpo(double beta) {
  return [=](const AnswerLikelihood& chosen, const AnswerLikelihood& rejected) {
    return orpo_loss(chosen, rejected, beta);
  };
}

void expect_slopes_are_derivatives(const PairLossFunction& loss, bool refers) {
  constexpr double kStep = 0x1p-16;
  Result found = run(loss, refers, kTokenLosses);
  for (std::size_t t = 0; t < kTokenLosses.size(); ++t) {
    std::vector<double> moved = kTokenLosses;
    auto total = [&](double by) {
      moved[t] = kTokenLosses[t] + by;
      Result result = run(loss, refers, moved);
      return result.losses[0] + 0.5 * result.losses[1];
    };
    EXPECT_NEAR(found.slopes[t], (total(kStep) - total(-kStep)) / (2 * kStep), 1e-8) << t;
    EXPECT_GT(std::fabs(found.slopes[t]), 1e-4) << t;
  }
}

TEST(PreferenceLoss, GradientsAreDerivatives) {
  expect_slopes_are_derivatives(dpo({.beta = 0.5}), true);
  expect_slopes_are_derivatives(dpo({.beta = 0.5, .label_smoothing = 0.2}), true);
  expect_slopes_are_derivatives(dpo({.beta = 0.5}), false);
  expect_slopes_are_derivatives(orpo(0.3), false);
}

// Answers of log-probability -1.75, -3, -0.125 and -4.5 beside references of -1.5, -2.25, -0.5 and
// -3: margins of -0.25 + 0.75 and of 0.375 + 1.5.
TEST(PreferenceLoss, DpoIsTheLogSigmoidOfTheMarginInClosedForm) {
  Result result = run(dpo({.beta = 0.5}), true, kTokenLosses);
  EXPECT_NEAR(result.losses[0], std::log(1 + std::exp(-0.25)) / 2, 1e-15);
  EXPECT_NEAR(result.losses[1], std::log(1 + std::exp(-0.9375)) / 2, 1e-15);
  // Of the chosen tokens beta sigmoid(-z), of the rejected ones minus that.
  double slope = 0.5 / (1 + std::exp(0.25)) / 2;
  for (std::size_t t = 0; t < 5; ++t)
    EXPECT_NEAR(result.slopes[t], t < 2 ? slope : -slope, 1e-15) << t;
}

TEST(PreferenceLoss, SmoothedLabelsMixBothOrders) {
  Result result = run(dpo({.beta = 0.5, .label_smoothing = 0.25}), true, kTokenLosses);
  double expected = 0.75 * std::log(1 + std::exp(-0.25)) + 0.25 * std::log(1 + std::exp(0.25));
  EXPECT_NEAR(result.losses[0], expected / 2, 1e-15);
}

// Likelihoods of 1/2 and 1/4 have odds of 1 and 1/3: -log(1/2) - beta log(3 / 4).
TEST(PreferenceLoss, OrpoIsTheLikelihoodAndTheOddsInClosedForm) {
  AnswerLikelihood chosen{.log_probability = 3 * std::log(0.5), .tokens = 3};
  AnswerLikelihood rejected{.log_probability = 2 * std::log(0.25), .tokens = 2};
  EXPECT_NEAR(log_odds(chosen), 0, 1e-15);
  EXPECT_NEAR(log_odds(rejected), -std::log(3.0), 1e-15);
  EXPECT_NEAR(orpo_loss(chosen, rejected, 0.5).value, std::log(2.0) + 0.5 * std::log(4.0 / 3),
              1e-15);
}

TEST(PreferenceLoss, CertainAnswersGiveFiniteNumbers) {
  AnswerLikelihood certain{.log_probability = 0, .tokens = 4};
  AnswerLikelihood hopeless{.log_probability = -4000, .tokens = 4};
  EXPECT_NEAR(log_odds(certain), std::log(1e7), 1e-6);
  for (const PairLoss& loss :
       {orpo_loss(certain, hopeless, 0.1), orpo_loss(hopeless, certain, 0.1),
        dpo_loss(certain, hopeless, {.beta = 100}), dpo_loss(hopeless, certain, {.beta = 100})}) {
    for (double number : {loss.value, loss.by_chosen, loss.by_rejected})
      EXPECT_TRUE(std::isfinite(number));
  }
}

}  // namespace
}  // namespace inlay
