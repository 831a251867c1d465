#include "data/json_rows.h"

#include <algorithm>

#include "base/error.h"
#include "data/encoding.h"

namespace inlay {
namespace {

// Cuts the text of an array at the commas between its elements, so that each is parsed on its own.
class ArrayScanner {
 public:
  // REQUIRES: the first character that is not blank is '['.
  ArrayScanner(std::string_view text, std::string_view source) : text_(text), source_(source) {
    skip_blanks();
    opened_ = line_;
    ++at_;
    skip_blanks();
  }

  // The next element, without blanks before it; false after the closing bracket.
  bool next(JsonRow& element) {
    if (peek() == ']') return finish();
    if (begun_) ++at_;  // the comma that ended the element before
    begun_ = true;
    skip_blanks();
    std::size_t start = at_;
    element.line = line_;
    skip_element();
    element.text = text_.substr(start, at_ - start);
    return true;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void advance() {
    if (at_ >= text_.size()) {
      fail(ErrorKind::kInput,
           "{}: the list that begins on line {} never ends; expected a closing ]", source_,
           opened_);
    }
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }

  void skip_blanks() {
    while (at_ < text_.size() && trimmed(text_.substr(at_, 1)).empty()) advance();
  }

  void skip_string() {
    for (advance(); peek() != '"'; advance()) {
      if (peek() == '\\') advance();
    }
  }

  // Stops at the ',' or ']' that ends the element, brackets and strings inside skipped.
  void skip_element() {
    for (std::size_t depth = 0;; advance()) {
      char c = peek();
      if (depth == 0 && (c == ',' || c == ']')) return;
      if (c == '"') skip_string();
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && depth > 0) --depth;
    }
  }

  bool finish() {
    ++at_;
    skip_blanks();
    require(at_ == text_.size(), ErrorKind::kInput,
            "{}: line {}: found {} after the list's end; expected nothing", source_, line_,
            excerpt(text_.substr(at_), 20));
    return false;
  }

  std::string_view text_;
  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t opened_ = 1;
  bool begun_ = false;
};

}  // namespace

void each_json_line(std::string_view text, const JsonRowVisitor& visit) {
  std::size_t line = 0;
  while (!text.empty()) {
    std::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(row.size() + 1, text.size()));
    ++line;
    if (!trimmed(row).empty()) visit({row, line});
  }
}

void each_json_element(std::string_view text, std::string_view source,
                       const JsonRowVisitor& visit) {
  ArrayScanner scanner(text, source);
  JsonRow row;
  while (scanner.next(row)) visit(row);
}

}  // namespace inlay
