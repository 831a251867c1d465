#include "eval/generation/stop_strings.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/utf8.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxStrings = 64, kMaxBytes = 1024;

}  // namespace

void check_stop_strings(const std::vector<std::string>& strings) {
  require(strings.size() <= kMaxStrings, ErrorKind::kUsage,
          "there are {} stop strings; expected at most {}", strings.size(), kMaxStrings);
  for (const std::string& text : strings) {
    require(!text.empty() && text.size() <= kMaxBytes, ErrorKind::kUsage,
            "a stop string has {} bytes; expected 1 to {}", text.size(), kMaxBytes);
    require(!text::first_invalid_utf8(text).has_value(), ErrorKind::kUsage,
            "a stop string of {} bytes is not UTF-8, as all text is; no text would stop",
            text.size());
  }
}

StopStrings::Matcher::Matcher(const std::string& stop) : text(stop), borders(stop.size() + 1, 0) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    advance(text[i]);
    borders[i + 1] = length;
  }
  length = 0;
}

void StopStrings::Matcher::advance(char byte) {
  while (length > 0 && text[length] != byte) length = borders[length];
  if (text[length] == byte) ++length;
}

StopStrings::StopStrings(const std::vector<std::string>& strings) {
  check_stop_strings(strings);
  for (const std::string& text : strings) matchers_.emplace_back(text);
}

const StopStrings::Matcher* StopStrings::completed() const {
  const Matcher* longest = nullptr;
  for (const Matcher& matcher : matchers_) {
    bool longer = longest == nullptr || matcher.text.size() > longest->text.size();
    if (matcher.complete() && longer) longest = &matcher;
  }
  return longest;
}

std::string StopStrings::push(std::string_view piece) {
  if (matched_.has_value()) return "";
  for (char byte : piece) {
    held_ += byte;
    for (Matcher& matcher : matchers_) matcher.advance(byte);
    const Matcher* stop = completed();
    if (stop == nullptr) continue;
    matched_ = stop->text;
    held_.resize(held_.size() - stop->text.size());
    return std::exchange(held_, {});
  }
  std::size_t undecided = 0;
  for (const Matcher& matcher : matchers_) undecided = std::max(undecided, matcher.length);
  std::string released = held_.substr(0, held_.size() - undecided);
  held_.erase(0, released.size());
  return released;
}

std::string StopStrings::finish() { return std::exchange(held_, {}); }

}  // namespace inlay
