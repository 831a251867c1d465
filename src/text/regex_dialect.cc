// From Oniguruma's Ruby syntax to PCRE2. The two agree on most of what tokenizers use; they differ
// in which characters \s, \w, \h and \b mean, in \u escapes, in (?m), and in class intersection.
#include "base/error.h"
#include "text/regex.h"

namespace inlay::text {
namespace {

constexpr std::string_view kWordClass = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& place)
      : pattern_(pattern), place_(place) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] == '\\') {
        escape();
      } else if (class_depth_ > 0) {
        inside_class();
      } else {
        outside_class();
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    fail(ErrorKind::kInput, "{}: the pattern \"{}\" uses {}, which is not supported", place_,
         pattern_.substr(0, 200), what);
  }

  std::string_view rest() const { return pattern_.substr(at_); }

  void copy(std::size_t count) {
    out_ += pattern_.substr(at_, count);
    at_ += count;
  }

  void replace(std::size_t count, std::string_view with) {
    out_ += with;
    at_ += count;
  }

  void escape() {
    if (at_ + 1 >= pattern_.size()) refuse("a backslash at its end");
    const bool in_class = class_depth_ > 0;
    switch (pattern_[at_ + 1]) {
      case 's':
        return replace(2, "\\p{White_Space}");
      case 'S':
        return replace(2, "\\P{White_Space}");
      case 'w':
        return in_class ? replace(2, kWordClass) : word("[", "]");
      case 'W':
        if (in_class) refuse("\\W inside a character class");
        return word("[^", "]");
      case 'b':
        if (in_class) return copy(2);
        return boundary("(?:(?<=[W])(?![W])|(?<![W])(?=[W]))");
      case 'B':
        return boundary("(?:(?<=[W])(?=[W])|(?<![W])(?![W]))");
      case 'h':
        return replace(2, in_class ? "0-9a-fA-F" : "[0-9a-fA-F]");
      case 'H':
        if (in_class) refuse("\\H inside a character class");
        return replace(2, "[^0-9a-fA-F]");
      case 'u':
        return unicode_escape();
      default:
        return copy(2);
    }
  }

  void word(std::string_view open, std::string_view close) {
    out_ += open;
    out_ += kWordClass;
    out_ += close;
    at_ += 2;
  }

  void boundary(std::string_view shape) {
    for (char c : shape) c == 'W' ? out_ += kWordClass : out_ += c;
    at_ += 2;
  }

  void unicode_escape() {
    const std::string_view digits = pattern_.substr(at_ + 2, 4);
    const bool is_hex =
        digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (digits.size() != 4 || !is_hex) refuse("\\u without four hexadecimal digits");
    out_ += "\\x{";
    out_ += digits;
    out_ += '}';
    at_ += 6;
  }

  void inside_class() {
    if (rest().starts_with("&&")) refuse("&& inside a character class");
    if (rest().starts_with("[:")) {
      const std::size_t end = pattern_.find(":]", at_);
      if (end != std::string_view::npos) return copy(end + 2 - at_);
    }
    if (pattern_[at_] == '[') refuse("a character class inside another");
    if (pattern_[at_] == ']') --class_depth_;
    copy(1);
  }

  void outside_class() {
    if (pattern_[at_] == '[') {
      ++class_depth_;
      copy(1);
      if (rest().starts_with("^")) copy(1);
      if (rest().starts_with("]")) replace(1, "\\]");
      return;
    }
    if (rest().starts_with("(?#")) refuse("a comment group");
    if (rest().starts_with("(?") && !rest().starts_with("(?<")) return group_options();
    if (rest().starts_with("(*")) refuse("a verb (*...)");
    copy(1);
  }

  // (?imx-imx) and (?imx-imx:...): Ruby's m is "dot matches newlines", which is s in Perl's syntax.
  void group_options() {
    copy(2);
    while (at_ < pattern_.size() &&
           std::string_view("imx-").find(pattern_[at_]) != std::string_view::npos) {
      if (pattern_[at_] == 'x') refuse("extended (?x) syntax");
      pattern_[at_] == 'm' ? replace(1, "s") : copy(1);
    }
  }

  std::string_view pattern_;
  const std::string& place_;
  std::size_t at_ = 0;
  int class_depth_ = 0;
  std::string out_;
};

}  // namespace

std::string translate_regex(std::string_view oniguruma, const std::string& place) {
  return Translator(oniguruma, place).run();
}

}  // namespace inlay::text
