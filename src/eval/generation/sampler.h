// Chooses the tokens of one generated text, each from the logits that a model gives after the ones
// before. In Hugging Face's order:
//
//   1. repetition penalty theta: the logit of a token that is in the prompt or the text becomes
//      l / theta where it is positive and l * theta where not (Keskar et al. 2019,
//      arXiv:1909.05858, section 4.1, which divides always and so favours negative ones)
//   2. no eos token before min_new_tokens
//   then the largest wins, of equals the lowest id; or, with do_sample, a draw by
//      softmax(l / temperature) among what
//   3. top_k, top_p and min_p leave, in this order (candidates.h).
//
//   Sampler sampler(options, {.prompt = ids, .sequence = 3});
//   while (!sampler.finish().has_value()) ids.push_back(sampler.next(model.logits(ids)).id);
//
// A draw is a function of the seed, the sequence's number and the token's place alone, so what is
// generated beside a text does not change it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/random.h"
#include "eval/generation/generation_options.h"

namespace inlay {

// Natural logarithms, by the logits as the model gave them: before penalty and temperature.
struct TokenLogprob {
  int32_t id = 0;
  double logprob = 0;
};

struct ChosenToken {
  int32_t id = 0;
  double logprob = 0;
  std::vector<TokenLogprob> likeliest;  // options.logprobs many, the likeliest first
};

enum class Finish {
  kEos,     // the last token ends texts, and is no part of this one
  kLength,  // max_new_tokens are there
};

class Sampler {
 public:
  struct Start {
    std::span<const int32_t> prompt;  // read by the constructor only
    uint64_t sequence = 0;            // which of all texts of this seed it is
  };
  // kUsage as check_options().
  Sampler(const GenerationOptions& options, const Start& start);

  // `logits`: one number for each id of the vocabulary; -infinity rules a token out. kInput when
  // one is not a number or +infinity, or no token is left; nothing is chosen then.
  // REQUIRES: !finish().
  ChosenToken next(std::span<const float> logits);

  // Why the text has ended; nothing while it goes on.
  const std::optional<Finish>& finish() const { return finish_; }
  int64_t new_tokens() const { return new_tokens_; }

 private:
  std::vector<double> processed(std::span<const float> logits) const;
  int32_t choose(std::span<const double> logits) const;
  bool is_eos(int32_t id) const;

  GenerationOptions options_;
  Stream stream_;
  std::set<int32_t> seen_;
  int64_t new_tokens_ = 0;
  std::optional<Finish> finish_;
};

}  // namespace inlay
