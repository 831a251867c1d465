#include "eval/generation/generation_options.h"

#include "base/error.h"
#include "eval/generation/stop_strings.h"

namespace inlay {
namespace {

constexpr int64_t kMaxNewTokens = int64_t{1} << 20;
constexpr int64_t kMaxLogprobs = 1000;
// Wide enough for any use, narrow enough that no finite logit overflows in float64.
constexpr double kMinPenalty = 1e-3, kMaxPenalty = 1e3, kMaxTemperature = 1e3;

// Not a number is in no range.
template <class T>
void check_range(const char* name, T value, T low, T high) {
  require(low <= value && value <= high, ErrorKind::kUsage, "{} is {}; expected {} to {}", name,
          value, low, high);
}

}  // namespace

void GenerationOptions::fields(FieldVisitor& visit) {
  visit("do_sample", do_sample, "draw each token by its probability instead of the likeliest");
  visit("temperature", temperature,
        "what logits are divided by before drawing; 0: the likeliest token, as without do_sample");
  visit("top_k", top_k, "draw among this many likeliest tokens and their equals; 0: all");
  visit("top_p", top_p, "draw among the fewest likeliest tokens that have this probability");
  visit("min_p", min_p,
        "draw among tokens with at least this share of the likeliest's probability");
  visit("repetition_penalty", repetition_penalty,
        "above 1: tokens that the text already has become less likely; 1: none");
  visit("min_new_tokens", min_new_tokens, "tokens before the text may end by itself");
  visit("max_new_tokens", max_new_tokens, "tokens after which the text is cut");
  visit("stop_strings", stop_strings, "the text ends before any of these");
  visit("logprobs", logprobs, "report this many likeliest tokens at each place");
  visit("seed", seed, "of the draws");
}

void check_options(const GenerationOptions& options) {
  check_range("temperature", options.temperature, 0.0, kMaxTemperature);
  check_range("top_k", options.top_k, int64_t{0}, INT64_MAX);
  check_range("top_p", options.top_p, 0.0, 1.0);
  check_range("min_p", options.min_p, 0.0, 1.0);
  check_range("repetition_penalty", options.repetition_penalty, kMinPenalty, kMaxPenalty);
  check_range("max_new_tokens", options.max_new_tokens, int64_t{1}, kMaxNewTokens);
  check_range("min_new_tokens", options.min_new_tokens, int64_t{0}, options.max_new_tokens);
  check_range("logprobs", options.logprobs, int64_t{0}, kMaxLogprobs);
  check_range("seed", options.seed, int64_t{0}, INT64_MAX);
  check_stop_strings(options.stop_strings);
}

}  // namespace inlay
