#include "text/chat/string_escapes.h"

#include "text/utf8.h"

namespace inlay::chat {
namespace {

constexpr std::string_view kLetters = "abfnrtv\\'\"";
constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";

// The value of exactly `count` hexadecimal digits.
std::optional<char32_t> read_hex(std::string_view digits, std::size_t count) {
  if (digits.size() < count) return std::nullopt;
  char32_t value = 0;
  for (const char c : digits.substr(0, count)) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(c | (c >= 'A' ? 0x20 : 0));
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | static_cast<char32_t>(digit);
  }
  return value;
}

bool is_character(char32_t c) { return c < 0x110000 && (c < 0xD800 || c >= 0xE000); }

class Resolver {
 public:
  explicit Resolver(std::string_view literal) : literal_(literal) {}

  std::optional<std::string> run() {
    while (at_ < literal_.size()) {
      if (literal_[at_] != '\\' || at_ + 1 == literal_.size()) {
        out_ += literal_[at_++];
      } else if (!read_escape()) {
        return std::nullopt;
      }
    }
    return std::move(out_);
  }

 private:
  bool read_escape() {
    const char kind = literal_[at_ + 1];
    at_ += 2;
    if (kind == '\n') return true;
    if (kind == 'x') return read_code(2);
    if (kind == 'u') return read_code(4);
    if (kind == 'U') return read_code(8);
    if (kind == 'N') return false;
    if (kind >= '0' && kind <= '7') return read_octal();
    const std::size_t letter = kLetters.find(kind);
    if (letter == std::string_view::npos) {
      out_ += '\\';
      out_ += kind;
    } else {
      out_ += kMeanings[letter];
    }
    return true;
  }

  bool read_code(std::size_t digits) {
    const std::optional<char32_t> code = read_hex(literal_.substr(at_), digits);
    if (!code || !is_character(*code)) return false;
    text::append_utf8(out_, *code);
    at_ += digits;
    return true;
  }

  bool read_octal() {
    char32_t code = 0;
    --at_;
    for (int i = 0; i < 3 && at_ < literal_.size(); ++i, ++at_) {
      if (literal_[at_] < '0' || literal_[at_] > '7') break;
      code = code * 8 + static_cast<char32_t>(literal_[at_] - '0');
    }
    text::append_utf8(out_, code);
    return true;
  }

  std::string_view literal_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::optional<std::string> resolve_escapes(std::string_view literal) {
  return Resolver(literal).run();
}

}  // namespace inlay::chat
