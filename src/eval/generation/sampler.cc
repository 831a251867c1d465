#include "eval/generation/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "eval/generation/candidates.h"

namespace inlay {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

GenerationOptions checked(const GenerationOptions& options) {
  check_options(options);
  return options;
}

void check_logits(std::span<const float> logits, int64_t place) {
  require(!logits.empty(), ErrorKind::kInput, "new token {}: there are no logits", place);
  for (std::size_t id = 0; id < logits.size(); ++id) {
    require(logits[id] < std::numeric_limits<float>::infinity(), ErrorKind::kInput,
            "new token {}: the logit of token {} is {}; expected a number. Did the training of the "
            "adapter diverge, or does the base need another compute type?",
            place, id, logits[id]);
  }
}

// l - log sum exp(l), the largest logit subtracted from both first: none is too large for it.
class LogSoftmax {
 public:
  explicit LogSoftmax(std::span<const float> logits)
      : logits_(logits), largest_(*std::max_element(logits.begin(), logits.end())) {
    double total = 0;
    for (float logit : logits) total += std::exp(logit - largest_);
    log_total_ = std::log(total);
  }
  double operator()(int32_t id) const {
    return logits_[static_cast<std::size_t>(id)] - largest_ - log_total_;
  }

 private:
  std::span<const float> logits_;
  double largest_, log_total_ = 0;
};

// The ids of the `count` largest logits, the largest first; of equals the lower id first.
std::vector<int32_t> largest_ids(std::span<const float> logits, std::size_t count) {
  std::vector<int32_t> ids(logits.size()), largest(std::min(count, logits.size()));
  std::iota(ids.begin(), ids.end(), 0);
  std::partial_sort_copy(ids.begin(), ids.end(), largest.begin(), largest.end(),
                         [logits](int32_t x, int32_t y) {
                           const float a = logits[static_cast<std::size_t>(x)],
                                       b = logits[static_cast<std::size_t>(y)];
                           return a != b ? a > b : x < y;
                         });
  return largest;
}

ChosenToken with_logprobs(int32_t id, std::span<const float> logits, int64_t count) {
  const LogSoftmax logprob(logits);
  ChosenToken chosen{.id = id, .logprob = logprob(id)};
  if (count == 0) return chosen;
  for (int32_t token : largest_ids(logits, static_cast<std::size_t>(count)))
    chosen.likeliest.push_back({token, logprob(token)});
  return chosen;
}

// In [0, 1), of 53 random bits.
double unit_double(const Stream& stream, int64_t element) {
  constexpr uint64_t kSteps = uint64_t{1} << 53;
  return static_cast<double>(stream.below(kSteps, static_cast<uint64_t>(element))) * 0x1p-53;
}

}  // namespace

Sampler::Sampler(const GenerationOptions& options, const Start& start)
    : options_(checked(options)),
      stream_(static_cast<uint64_t>(options.seed), fmt::format("generation/{}", start.sequence)),
      seen_(start.prompt.begin(), start.prompt.end()) {}

ChosenToken Sampler::next(std::span<const float> logits) {
  ensure(!finish_.has_value(), "a token is asked for after the end of the text");
  check_logits(logits, new_tokens_);
  const int32_t id = choose(processed(logits));
  seen_.insert(id);
  ++new_tokens_;
  if (is_eos(id)) {
    finish_ = Finish::kEos;
  } else if (new_tokens_ == options_.max_new_tokens) {
    finish_ = Finish::kLength;
  }
  return with_logprobs(id, logits, options_.logprobs);
}

std::vector<double> Sampler::processed(std::span<const float> logits) const {
  std::vector<double> values(logits.begin(), logits.end());
  auto known = [&values](int32_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < values.size();
  };
  for (int32_t id : seen_) {
    if (!known(id)) continue;
    double& value = values[static_cast<std::size_t>(id)];
    value = value > 0 ? value / options_.repetition_penalty : value * options_.repetition_penalty;
  }
  if (new_tokens_ >= options_.min_new_tokens) return values;
  for (int32_t id : options_.eos_token_ids) {
    if (known(id)) values[static_cast<std::size_t>(id)] = kNever;
  }
  return values;
}

int32_t Sampler::choose(std::span<const double> logits) const {
  const auto largest = std::max_element(logits.begin(), logits.end());
  require(*largest > kNever, ErrorKind::kInput,
          "new token {}: no token is left: all logits are -inf{}", new_tokens_,
          new_tokens_ < options_.min_new_tokens ? " but those of eos tokens, before min_new_tokens"
                                                : "");
  if (options_.greedy()) return static_cast<int32_t>(largest - logits.begin());
  Candidates candidates = candidates_of(logits, options_.temperature);
  keep_top_k(candidates, options_.top_k);
  keep_top_p(candidates, options_.top_p);
  keep_min_p(candidates, options_.min_p);
  return draw(candidates, unit_double(stream_, new_tokens_));
}

bool Sampler::is_eos(int32_t id) const {
  const std::vector<int32_t>& ids = options_.eos_token_ids;
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace inlay
