// How well tokens are named: the loss, the mean of -log p over the tokens of all texts, and its
// exponential, the perplexity.
//
//   Json metrics{{"tokens", tokens}};
//   add_perplexity(metrics, tally_per_text);
#pragma once

#include <cstdint>
#include <span>

#include "base/json.h"

namespace inlay {

// Of a text, or of several together.
struct NamedTokens {
  int64_t count = 0;                    // tokens that were to be named
  double negative_log_probability = 0;  // of all of them

  void add(double token_loss) {
    ++count;
    negative_log_probability += token_loss;
  }
  // REQUIRES of both: a token.
  double loss() const { return negative_log_probability / static_cast<double>(count); }
  double perplexity() const;
};

// "loss", "negative_loss" and "perplexity", null where no text has a token to be named; else with
// intervals of loss and perplexity from resamples of what is given.
void add_perplexity(Json& metrics, std::span<const NamedTokens> texts);

}  // namespace inlay
