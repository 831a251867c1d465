#include "text/chat/lexer.h"

#include <algorithm>

#include "base/error.h"
#include "text/chat/string_escapes.h"
#include "text/chat/whitespace.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace inlay::chat {
namespace {

// Longer ones first.
constexpr std::string_view kOperators[] = {"**", "//", "==", "!=", "<=", ">=", "+", "-", "*",
                                           "/",  "%",  "~",  "<",  ">",  "=",  ".", ":", ",",
                                           "|",  "(",  ")",  "[",  "]",  "{",  "}"};

// Jinja reads every kind of line end as \n and, without keep_trailing_newline, drops one at the
// end.
std::string with_plain_newlines(std::string_view source) {
  std::string result;
  result.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      result += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      result += source[i];
    }
  }
  if (!result.empty() && result.back() == '\n') result.pop_back();
  return result;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view where)
      : source_(with_plain_newlines(source)), where_(where) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) read_outside();
    add(TokenKind::kEnd, "", at_);
    return std::move(tokens_);
  }

 private:
  // --- outside of tags ---

  void read_outside() {
    const std::size_t tag = next_tag();
    if (tag == std::string::npos) {
      add_text(at_, source_.size());
      at_ = source_.size();
      return;
    }
    const char kind = source_[tag + 1];
    const std::size_t after = tag + 2;
    const char sign = after < source_.size() ? source_[after] : '\0';
    const bool raw = kind == '%' && is_raw_tag(after);
    add_text(at_, stripped_end(tag, sign, kind != '{'));
    if (kind == '#') return read_comment(tag);
    if (raw) return read_raw(tag);
    at_ = after + (sign == '-' || sign == '+' ? 1 : 0);
    read_tag(kind, tag);
  }

  std::size_t next_tag() const {
    for (std::size_t i = source_.find('{', at_); i != std::string::npos && i + 1 < source_.size();
         i = source_.find('{', i + 1)) {
      const char next = source_[i + 1];
      if (next == '{' || next == '%' || next == '#') return i;
    }
    return std::string::npos;
  }

  // Where the text before a tag ends. "{%-" eats all whitespace before it; lstrip_blocks eats what
  // stands between the start of a line and a tag that prints nothing.
  std::size_t stripped_end(std::size_t tag, char sign, bool strips_line) const {
    const std::string_view text = std::string_view(source_).substr(at_, tag - at_);
    if (sign == '-') return at_ + trailing_space_begin(text);
    if (sign == '+' || !strips_line) return tag;
    const std::size_t newline = text.rfind('\n');
    if (newline == std::string_view::npos && !line_starts_) return tag;
    const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    return trailing_space_begin(text.substr(line)) == 0 ? at_ + line : tag;
  }

  void add_text(std::size_t begin, std::size_t end) {
    if (begin < end) add(TokenKind::kText, source_.substr(begin, end - begin), begin);
  }

  void read_comment(std::size_t tag) {
    std::size_t body = tag + 2;
    if (body < source_.size() && (source_[body] == '-' || source_[body] == '+')) ++body;
    const std::size_t end = source_.find("#}", body);
    if (end == std::string::npos) fail_here(tag, "the comment is not closed; expected #}");
    finish_tag(source_[end - 1], end + 2, true, end > body);
  }

  // Where "raw" and the end of its tag stand behind "{%", or not.
  bool is_raw_tag(std::size_t after) { return word_tag_end(after, "raw") != std::string::npos; }

  // The position of "%}" in a tag that holds only `word`, npos when it is another.
  std::size_t word_tag_end(std::size_t after, std::string_view word) const {
    std::size_t i = after;
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    i += leading_space_end(rest(i));
    if (!rest(i).starts_with(word)) return std::string::npos;
    i += word.size();
    i += leading_space_end(rest(i));
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    return rest(i).starts_with("%}") ? i : std::string::npos;
  }

  void read_raw(std::size_t tag) {
    const std::size_t opened = word_tag_end(tag + 2, "raw");
    // The newline behind {% raw %} stays.
    finish_tag(source_[opened - 1], opened + 2, false, true);
    for (std::size_t i = source_.find("{%", at_); i != std::string::npos;
         i = source_.find("{%", i + 1)) {
      const std::size_t closed = word_tag_end(i + 2, "endraw");
      if (closed == std::string::npos) continue;
      add_text(at_, stripped_end(i, source_[i + 2], true));
      return finish_tag(source_[closed - 1], closed + 2, true, true);
    }
    fail_here(tag, "the raw block is not closed; expected {% endraw %}");
  }

  // Goes on behind a tag that ended at `end`: "-%}" eats all whitespace that follows, trim_blocks
  // the first newline.
  void finish_tag(char sign, std::size_t end, bool trims, bool has_sign) {
    at_ = end;
    if (has_sign && sign == '-') {
      at_ += leading_space_end(rest(at_));
    } else if (trims && !(has_sign && sign == '+') && rest(at_).starts_with('\n')) {
      ++at_;
    }
    line_starts_ = source_[at_ - 1] == '\n';
  }

  // --- inside of tags ---

  void read_tag(char kind, std::size_t tag) {
    const bool prints = kind == '{';
    add(prints ? TokenKind::kVariableBegin : TokenKind::kStatementBegin, "", tag);
    open_.clear();
    while (true) {
      at_ += leading_space_end(rest(at_));
      if (at_ >= source_.size()) {
        fail_here(tag, prints ? "the tag is not closed; expected }}"
                              : "the tag is not closed; expected %}");
      }
      if (open_.empty() && ends_tag(prints)) return;
      read_token();
    }
  }

  bool ends_tag(bool prints) {
    const std::string_view end = prints ? "}}" : "%}";
    const char first = source_[at_];
    const bool has_sign = first == '-' || (first == '+' && !prints);
    const std::size_t begin = at_ + (has_sign ? 1 : 0);
    if (!rest(begin).starts_with(end)) return false;
    add(prints ? TokenKind::kVariableEnd : TokenKind::kStatementEnd, "", at_);
    finish_tag(first, begin + 2, !prints, has_sign);
    return true;
  }

  void read_token() {
    const char first = source_[at_];
    if (first == '"' || first == '\'') return read_string(first);
    if (is_digit(first)) return read_number();
    const text::Utf8Char c = text::decode_utf8(source_, at_);
    if (text::is_word(c.code)) return read_name();
    read_operator();
  }

  void read_string(char quote) {
    std::size_t i = at_ + 1;
    while (i < source_.size() && source_[i] != quote) i += source_[i] == '\\' ? 2 : 1;
    if (i >= source_.size()) fail_here(at_, "the string is not closed");
    const std::string_view inside = std::string_view(source_).substr(at_ + 1, i - at_ - 1);
    const std::optional<std::string> text = resolve_escapes(inside);
    if (!text) fail_here(at_, "the string holds a \\x, \\u, \\U or \\N escape that is not one");
    add(TokenKind::kString, *text, at_);
    at_ = i + 1;
  }

  std::size_t digits_end(std::size_t i) const {
    while (i < source_.size() &&
           (is_digit(source_[i]) ||
            (source_[i] == '_' && i + 1 < source_.size() && is_digit(source_[i + 1])))) {
      ++i;
    }
    return i;
  }

  void read_number() {
    const bool after_dot = !tokens_.empty() && tokens_.back().is_operator(".");
    const std::size_t whole = digits_end(at_);
    std::size_t end = whole;
    if (!after_dot) {
      if (rest(end).size() > 1 && source_[end] == '.' && is_digit(source_[end + 1])) {
        end = digits_end(end + 1);
      }
      if (!rest(end).empty() && (source_[end] == 'e' || source_[end] == 'E')) {
        std::size_t exponent = end + 1;
        if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) {
          ++exponent;
        }
        if (digits_end(exponent) > exponent) end = digits_end(exponent);
      }
    }
    std::string digits = source_.substr(at_, end - at_);
    std::erase(digits, '_');
    add(end == whole ? TokenKind::kInteger : TokenKind::kFloat, digits, at_);
    at_ = end;
  }

  void read_name() {
    std::size_t end = at_;
    while (end < source_.size()) {
      const text::Utf8Char c = text::decode_utf8(source_, end);
      if (!text::is_word(c.code)) break;
      end += c.length;
    }
    add(TokenKind::kName, source_.substr(at_, end - at_), at_);
    at_ = end;
  }

  void read_operator() {
    const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                     [&](std::string_view o) { return rest(at_).starts_with(o); });
    if (found == std::end(kOperators)) {
      const std::size_t length = text::decode_utf8(source_, at_).length;
      fail_here(at_, fmt::format("unexpected character '{}'", source_.substr(at_, length)));
    }
    balance(found->front());
    add(TokenKind::kOperator, std::string(*found), at_);
    at_ += found->size();
  }

  // Brackets that are open hide the end of the tag: {{ {"a": {}} }}.
  void balance(char c) {
    if (c == '(' || c == '[' || c == '{') open_ += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c != ')' && c != ']' && c != '}') return;
    if (open_.empty()) fail_here(at_, fmt::format("unexpected '{}'", c));
    if (open_.back() != c) {
      fail_here(at_, fmt::format("unexpected '{}'; expected '{}'", c, open_.back()));
    }
    open_.pop_back();
  }

  // --- both ---

  std::string_view rest(std::size_t from) const {
    return std::string_view(source_).substr(std::min(from, source_.size()));
  }

  // REQUIRES: `at` never decreases by more than the token in hand, so lines are counted once.
  Place place_of(std::size_t at) {
    if (at < counted_) return place_before(at);
    for (; counted_ < at; ++counted_) {
      if (source_[counted_] == '\n') {
        ++counted_place_.line;
        counted_place_.column = 1;
      } else if ((static_cast<uint8_t>(source_[counted_]) & 0xC0) != 0x80) {
        ++counted_place_.column;
      }
    }
    return counted_place_;
  }

  Place place_before(std::size_t at) const {
    const std::string_view before = std::string_view(source_).substr(0, at);
    const std::size_t newline = before.rfind('\n');
    const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    return {1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
            1 + static_cast<int>(text::count_utf8_chars(before.substr(line)))};
  }

  void add(TokenKind kind, std::string text, std::size_t at) {
    tokens_.push_back({kind, std::move(text), place_of(at)});
  }

  [[noreturn]] void fail_here(std::size_t at, const std::string& message) const {
    fail_at(where_, place_before(at), message);
  }

  const std::string source_;
  const std::string_view where_;
  std::size_t at_ = 0;
  bool line_starts_ = true;  // nothing but removed whitespace stands before at_ on its line
  std::string open_;         // closing brackets that are awaited
  std::vector<Token> tokens_;
  std::size_t counted_ = 0;
  Place counted_place_;
};

}  // namespace

std::string Token::description() const {
  switch (kind) {
    case TokenKind::kText:
      return "text";
    case TokenKind::kVariableBegin:
      return "'{{'";
    case TokenKind::kStatementBegin:
      return "'{%'";
    case TokenKind::kVariableEnd:
    case TokenKind::kStatementEnd:
      return "the end of the tag";
    case TokenKind::kEnd:
      return "the end of the template";
    case TokenKind::kString:
      return "a string";
    default:
      return fmt::format("'{}'", text);
  }
}

std::vector<Token> tokenize(std::string_view source, std::string_view where) {
  return Lexer(source, where).run();
}

void fail_at(std::string_view where, Place place, const std::string& message) {
  fail(ErrorKind::kInput, "{}:{}:{}: {}", where, place.line, place.column, message);
}

}  // namespace inlay::chat
