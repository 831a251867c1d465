#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "base/error.h"

namespace inlay {
namespace {

constexpr uint32_t kMatchLimit = 1'000'000;
constexpr std::size_t kMaxLength = 10'000;

}  // namespace

struct Pattern::State {
  std::string text;
  pcre2_code* code = nullptr;
  pcre2_match_context* limits = nullptr;
  ~State() {
    pcre2_match_context_free(limits);
    pcre2_code_free(code);
  }
};

Pattern::Pattern(const std::string& text, std::string_view where) {
  require(text.size() <= kMaxLength, ErrorKind::kUsage,
          "{}: a pattern of {} characters; at most {} are allowed", where, text.size(), kMaxLength);
  auto state = std::make_shared<State>();
  state->text = text;
  int error = 0;
  PCRE2_SIZE place = 0;
  state->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED, &error, &place, nullptr);
  if (state->code == nullptr) {
    std::array<PCRE2_UCHAR, 200> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    fail(ErrorKind::kUsage, "{}: \"{}\" is no regular expression: {} at character {}", where, text,
         reinterpret_cast<const char*>(message.data()), place);
  }
  state->limits = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(state->limits, kMatchLimit);
  state_ = state;
}

bool Pattern::matches_whole(std::string_view subject) const {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  int found = pcre2_match(state_->code, reinterpret_cast<PCRE2_SPTR>(subject.data()),
                          subject.size(), 0, 0, data, state_->limits);
  pcre2_match_data_free(data);
  require(found != PCRE2_ERROR_MATCHLIMIT, ErrorKind::kUsage,
          "the pattern \"{}\" takes too long on \"{}\"", state_->text, subject);
  return found >= 0;
}

}  // namespace inlay
