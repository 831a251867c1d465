#include "data/jsonl.h"

#include <algorithm>

#include "base/error.h"
#include "data/encoding.h"
#include "data/json_row.h"
#include "data/table_builder.h"

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

  // The next element, without blanks before it, and the line it begins on; false after the closing
  // bracket.
  bool next(std::string_view& element, std::size_t& line) {
    if (peek() == ']') return finish();
    if (begun_) ++at_;  // the comma that ended the element before
    begun_ = true;
    skip_blanks();
    std::size_t start = at_;
    line = line_;
    skip_element();
    element = text_.substr(start, at_ - start);
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

Table parse_jsonl(std::string_view text, std::string_view source, const TableLimits& limits) {
  TableBuilder builder(source, limits);
  std::size_t line = 0;
  while (!text.empty()) {
    std::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(row.size() + 1, text.size()));
    ++line;
    if (!trimmed(row).empty()) parse_json_row(builder, row, line);
  }
  return builder.finish();
}

Table parse_json_array(std::string_view text, std::string_view source, const TableLimits& limits) {
  TableBuilder builder(source, limits);
  ArrayScanner scanner(text, source);
  std::string_view element;
  std::size_t line = 0;
  while (scanner.next(element, line)) parse_json_row(builder, element, line);
  return builder.finish();
}

}  // namespace inlay
