// Losses over pairs of answers to one prompt, of which people preferred the first. An answer counts
// by the log-probabilities of its tokens: their sum (DPO) or their mean (ORPO).
//
//   auto loss = [](const AnswerLikelihood& chosen, const AnswerLikelihood& rejected) {
//     return dpo_loss(chosen, rejected, {.beta = 0.1});
//   };
//   Variable losses = preference_loss(context, token_losses, pairs, loss, pairs_in_the_batch);
#pragma once

#include <functional>
#include <vector>

#include "autograd/op_context.h"

namespace inlay {

// An answer as a loss sees it.
struct AnswerLikelihood {
  double log_probability = 0;  // of all its tokens
  int64_t tokens = 0;          // at least 1
  double reference = 0;        // log_probability under the reference model; DPO only
};

// A loss, and what it grows by with the log_probability of either answer.
struct PairLoss {
  double value = 0;
  double by_chosen = 0, by_rejected = 0;
};

struct DpoOptions {
  double beta = 0.1;
  double label_smoothing = 0;
};

// How much more than the reference model the model prefers the chosen answer, in nats:
// log (p(c) / q(c)) - log (p(r) / q(r)).
double preference_margin(const AnswerLikelihood& chosen, const AnswerLikelihood& rejected);

// -log sigmoid(beta h) with h the margin (Rafailov et al. 2023, arXiv:2305.18290, eq. 7). Smoothed
// by e, as where a share e of the pairs is the wrong way round:
// -(1 - e) log sigmoid(beta h) - e log sigmoid(-beta h) (Mitchell 2023, "A note on DPO with noisy
// preferences", eq. 3).
PairLoss dpo_loss(const AnswerLikelihood& chosen, const AnswerLikelihood& rejected,
                  const DpoOptions& options);

// log (p / (1 - p)) of the likelihood p = exp(log_probability / tokens). One that rounds to 1
// counts as exp(-1e-7).
double log_odds(const AnswerLikelihood& answer);

// -log p(c) - beta log sigmoid(log_odds(c) - log_odds(r)), p(c) as of log_odds() (Hong, Lee and
// Thorne 2024, arXiv:2403.07691, eqs. 6 and 7; their lambda is beta).
PairLoss orpo_loss(const AnswerLikelihood& chosen, const AnswerLikelihood& rejected, double beta);

struct PreferencePairs {
  // Rows [offsets[i], offsets[i + 1]) are the tokens of answer i; answers 2 p and 2 p + 1 are the
  // chosen and the rejected one of pair p.
  std::vector<int64_t> offsets = {0};
  std::vector<double> reference;  // per answer; empty: none
  RowSpace space;                 // one row per pair
};

using PairLossFunction =
    std::function<PairLoss(const AnswerLikelihood& chosen, const AnswerLikelihood& rejected)>;

// token_losses (tokens, 1), -log p of every token of the answers -> (pairs, 1), in the space of the
// pairs: `loss` of each pair, divided by `normalizer`. `pairs` must outlive the backward pass.
Variable preference_loss(OpContext& context, const Variable& token_losses,
                         const PreferencePairs& pairs, const PairLossFunction& loss,
                         double normalizer);

}  // namespace inlay
