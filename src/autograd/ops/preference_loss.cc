#include "autograd/ops/preference_loss.h"

#include <algorithm>
#include <cmath>

#include "autograd/operands.h"

namespace inlay {
namespace {

constexpr double kLeastMeanLoss = 1e-7;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double minus_log_sigmoid(double x) {
  return std::max(-x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

double mean_log_probability(const AnswerLikelihood& answer) {
  return std::min(answer.log_probability / static_cast<double>(answer.tokens), -kLeastMeanLoss);
}

// d log_odds / d log_probability = 1 / (n (1 - p))
double slope_of_log_odds(const AnswerLikelihood& answer) {
  return -1 / (std::expm1(mean_log_probability(answer)) * static_cast<double>(answer.tokens));
}

}  // namespace

double preference_margin(const AnswerLikelihood& chosen, const AnswerLikelihood& rejected) {
  return (chosen.log_probability - chosen.reference) -
         (rejected.log_probability - rejected.reference);
}

PairLoss dpo_loss(const AnswerLikelihood& chosen, const AnswerLikelihood& rejected,
                  const DpoOptions& options) {
  double z = options.beta * preference_margin(chosen, rejected), e = options.label_smoothing;
  double slope = options.beta * (sigmoid(z) - (1 - e));
  return {.value = (1 - e) * minus_log_sigmoid(z) + e * minus_log_sigmoid(-z),
          .by_chosen = slope,
          .by_rejected = -slope};
}

double log_odds(const AnswerLikelihood& answer) {
  double log_p = mean_log_probability(answer);
  return log_p - std::log(-std::expm1(log_p));
}

PairLoss orpo_loss(const AnswerLikelihood& chosen, const AnswerLikelihood& rejected, double beta) {
  double z = log_odds(chosen) - log_odds(rejected);
  double slope = -beta * sigmoid(-z);
  return {.value = -mean_log_probability(chosen) + beta * minus_log_sigmoid(z),
          .by_chosen = slope * slope_of_log_odds(chosen) - 1 / static_cast<double>(chosen.tokens),
          .by_rejected = -slope * slope_of_log_odds(rejected)};
}

namespace {

AnswerLikelihood answer_at(const Tensor& token_losses, const PreferencePairs& pairs,
                           std::size_t answer) {
  int64_t first = pairs.offsets[answer], last = pairs.offsets[answer + 1];
  ensure(first < last, "answer {} has no tokens", answer);
  AnswerLikelihood likelihood{.tokens = last - first};
  for (int64_t row = first; row < last; ++row)
    likelihood.log_probability -= in(token_losses).load<double>(row);
  if (!pairs.reference.empty()) likelihood.reference = pairs.reference[answer];
  return likelihood;
}

PairLoss loss_of_pair(const Tensor& token_losses, const PreferencePairs& pairs,
                      const PairLossFunction& loss, int64_t pair) {
  auto chosen = static_cast<std::size_t>(2 * pair);
  return loss(answer_at(token_losses, pairs, chosen), answer_at(token_losses, pairs, chosen + 1));
}

// The same for all tokens of an answer.
void fill_rows(const Tensor& grad, const PreferencePairs& pairs, int64_t answer, double value) {
  auto at = static_cast<std::size_t>(answer);
  for (int64_t row = pairs.offsets[at]; row < pairs.offsets[at + 1]; ++row)
    out(grad).store(row, value);
}

}  // namespace

Variable preference_loss(OpContext& context, const Variable& token_losses,
                         const PreferencePairs& pairs, const PairLossFunction& loss,
                         double normalizer) {
  int64_t count = pairs.space.rows();
  bool whole = pairs.reference.empty() || pairs.reference.size() + 1 == pairs.offsets.size();
  ensure(token_losses.channels() == 1 && pairs.offsets.back() == token_losses.rows() &&
             static_cast<int64_t>(pairs.offsets.size()) == 2 * count + 1 && whole,
         "losses of shape {} and {} references for {} pairs of {} tokens",
         token_losses.shape().text(), pairs.reference.size(), count, pairs.offsets.back());
  Tensor y = context.tape.empty({count, 1}, context.dtype(Precision::kFull));
  for (int64_t p = 0; p < count; ++p)
    out(y).store(p, loss_of_pair(token_losses.value(), pairs, loss, p).value / normalizer);
  // A token's loss is minus its log-probability.
  return context.tape.record(std::move(y), &pairs.space, token_losses.requires_grad(),
                             [slot = token_losses.slot(), kept = token_losses.value(), &pairs, loss,
                              normalizer](Tape& tape, const Tensor& grad_y) {
                               Tensor grad = tape.empty(kept.shape(), kept.dtype());
                               for (int64_t p = 0; p < grad_y.count(); ++p) {
                                 PairLoss slopes = loss_of_pair(kept, pairs, loss, p);
                                 double seed = in(grad_y).load<double>(p) / normalizer;
                                 fill_rows(grad, pairs, 2 * p, -seed * slopes.by_chosen);
                                 fill_rows(grad, pairs, 2 * p + 1, -seed * slopes.by_rejected);
                               }
                               tape.accumulate(slot, std::move(grad));
                             });
}

}  // namespace inlay
