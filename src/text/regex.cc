#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <chrono>

#include "base/error.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

constexpr std::size_t kMaxPatternBytes = 16 << 10;
constexpr uint32_t kMatchLimit = 5'000'000;
constexpr uint32_t kHeapLimitKiB = 64 << 10;
constexpr std::size_t kJitStackBytes = 1 << 20;
// A call to PCRE2 tries at most this many starting points, so that the clock is looked at now and
// then.
constexpr std::size_t kStartsPerCall = 512;

pcre2_code* code_of(void* pointer) { return static_cast<pcre2_code*>(pointer); }

// What a thread needs to match: a place for the result, limits, a stack for compiled patterns.
struct Workspace {
  Workspace()
      : match(pcre2_match_data_create(1, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(32 << 10, kJitStackBytes, nullptr)) {
    ensure(match != nullptr && context != nullptr && stack != nullptr,
           "no memory for regular expressions");
    pcre2_set_match_limit(context, kMatchLimit);
    pcre2_set_heap_limit(context, kHeapLimitKiB);
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Workspace() {
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  pcre2_match_data* match;
  pcre2_match_context* context;
  pcre2_jit_stack* stack;
};

Workspace& workspace() {
  thread_local Workspace own;
  return own;
}

// Tens of times what an honest pattern needs: only patterns that backtrack without end meet it.
class Deadline {
 public:
  explicit Deadline(std::size_t text_bytes)
      : end_(Clock::now() + std::chrono::seconds(5) + std::chrono::microseconds(20) * text_bytes) {}
  bool passed() const { return Clock::now() > end_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
};

// Finds one match that starts in text[from, from + kStartsPerCall]. False when there is none there.
bool search_window(const pcre2_code* code, std::string_view text, std::size_t from,
                   const std::string& place, Range& found) {
  Workspace& space = workspace();
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  pcre2_set_offset_limit(space.context, std::min(text.size(), from + kStartsPerCall));
  int result =
      pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, space.match, space.context);
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
    result = pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                         space.match, space.context);
  }
  if (result == PCRE2_ERROR_NOMATCH) return false;
  require(result >= 0, ErrorKind::kInput,
          "{}: the pattern gave up on a text of {} bytes (PCRE2 error {}): it backtracks too much",
          place, text.size(), result);
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(space.match);
  found = {static_cast<uint32_t>(ends[0]), static_cast<uint32_t>(ends[1])};
  return true;
}

}  // namespace

Regex::Code::Code(std::string_view translated, const std::string& place) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
  ensure(context != nullptr, "no memory for regular expressions");
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  pcre2_code* compiled =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NO_UTF_CHECK |
                        PCRE2_USE_OFFSET_LIMIT | PCRE2_NEVER_BACKSLASH_C,
                    &error, &offset, context);
  pcre2_compile_context_free(context);
  if (compiled == nullptr) {
    PCRE2_UCHAR message[160];
    pcre2_get_error_message(error, message, sizeof message);
    fail(ErrorKind::kInput, "{}: the pattern \"{}\" is not a valid regular expression: {}", place,
         translated.substr(0, 200), reinterpret_cast<const char*>(message));
  }
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);  // without it matching is only slower
  pcre2 = compiled;
}

Regex::Code::~Code() { pcre2_code_free(code_of(pcre2)); }

Regex::Regex(std::string_view oniguruma_pattern, std::string place) : place_(std::move(place)) {
  require(oniguruma_pattern.size() <= kMaxPatternBytes, ErrorKind::kInput,
          "{}: the pattern has {} bytes; at most {} are supported", place_,
          oniguruma_pattern.size(), kMaxPatternBytes);
  code_ = std::make_unique<Code>(translate_regex(oniguruma_pattern, place_), place_);
}

void Regex::find_all(std::string_view text, std::vector<Range>& matches) const {
  const Deadline deadline(text.size());
  const pcre2_code* code = code_of(code_->pcre2);
  std::size_t at = 0;
  std::size_t last_end = text.size() + 1;  // of the match before
  for (std::size_t calls = 1; at <= text.size(); ++calls) {
    require(calls % 16 != 0 || !deadline.passed(), ErrorKind::kInput,
            "{}: the pattern takes too long on a text of {} bytes: it backtracks too much", place_,
            text.size());
    Range found{};
    if (!search_window(code, text, at, place_, found)) {
      at += kStartsPerCall + 1;
      while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) --at;
      continue;
    }
    if (found.begin == found.end && found.end == last_end) {
      at = at < text.size() ? at + decode_utf8(text, at).length : at + 1;
      continue;
    }
    matches.push_back(found);
    at = last_end = found.end;
  }
}

}  // namespace inlay::text
