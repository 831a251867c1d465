#include "eval/rolling_windows.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr int64_t kMostTokens = int64_t{1} << 26;

// Tokens [begin, end) of a text, asked for what the text asks for from place `from` on.
EncodedExample window_of(const EncodedExample& text, int64_t begin, int64_t end, int64_t from) {
  EncodedExample window;
  window.source = text.source;
  window.index = text.index;
  const std::vector<int32_t>& ids = text.tokens.ids;
  window.tokens.ids.assign(ids.begin() + begin, ids.begin() + end);
  const std::vector<int32_t>& asked = text.tokens.asked;
  auto first = std::lower_bound(asked.begin(), asked.end(), from);
  auto last = std::lower_bound(first, asked.end(), end);
  for (auto place = first; place != last; ++place) {
    window.tokens.asked.push_back(*place - static_cast<int32_t>(begin));
    window.answers.push_back(text.answers[static_cast<std::size_t>(place - asked.begin())]);
  }
  return window;
}

// Nothing stands behind the last one.
int64_t tokens_read(const EncodedExample& text) { return text.token_count() - 1; }

// Visits the windows of a text that has `read` tokens to read, with where the one before ended.
template <class Visit>
void for_windows(int64_t read, const WindowPlan& plan, const Visit& visit) {
  for (int64_t begin = 0, end = 0; end < read; begin += plan.stride) {
    int64_t from = end;
    end = std::min(begin + plan.length, read);
    visit(begin, end, from);
  }
}

}  // namespace

std::vector<EncodedExample> rolling_windows(const std::vector<EncodedExample>& whole,
                                            const WindowPlan& plan) {
  require(plan.stride >= 1 && plan.stride <= plan.length, ErrorKind::kUsage,
          "window_stride is {}; expected 1 to {}, the tokens that a window holds (max_length)",
          plan.stride, plan.length);
  int64_t tokens = 0;
  for (const EncodedExample& text : whole) {
    for_windows(tokens_read(text), plan,
                [&](int64_t begin, int64_t end, int64_t) { tokens += end - begin; });
  }
  require(tokens <= kMostTokens, ErrorKind::kUsage,
          "windows of {} tokens with a stride of {} hold {} tokens together; expected at most {}: "
          "raise window_stride",
          plan.length, plan.stride, tokens, kMostTokens);
  std::vector<EncodedExample> windows;
  for (const EncodedExample& text : whole) {
    for_windows(tokens_read(text), plan, [&](int64_t begin, int64_t end, int64_t from) {
      EncodedExample window = window_of(text, begin, end, from);
      if (!window.answers.empty()) windows.push_back(std::move(window));
    });
  }
  return windows;
}

}  // namespace inlay
