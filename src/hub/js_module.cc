#include "hub/js_module.h"

#include <openssl/evp.h>

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace inlay {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kNumberStart = "-.0123456789";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$';
}

// Where the text behind the only occurrence of `wanted` begins.
std::string_view behind(std::string_view source, std::string_view wanted, std::string_view where) {
  std::size_t at = source.find(wanted);
  bool once = at != source.npos && source.find(wanted, at + 1) == source.npos;
  require(once, ErrorKind::kInput, "{}: expected \"{}\" exactly once in the file", where, wanted);
  return source.substr(at + wanted.size());
}

class Literal {
 public:
  Literal(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  Json value(int depth = 0) {
    require(depth <= kMaxDepth, ErrorKind::kInput, "{}: nested deeper than {} levels", where_,
            kMaxDepth);
    skip_blanks();
    if (accepts('[')) return array(depth);
    if (accepts('{')) return object(depth);
    if (starts_string()) return string();
    if (!text_.empty() && kNumberStart.find(text_.front()) != kNumberStart.npos) return number();
    if (accepts('!')) return flag();
    if (accepts_word("true")) return true;
    if (accepts_word("false")) return false;
    if (accepts_word("null")) return nullptr;
    wrong("a literal value");
  }

 private:
  [[noreturn]] void wrong(std::string_view expected) const {
    fail(ErrorKind::kInput, "{}: found \"{}\"; expected {}", where_, text_.substr(0, 40), expected);
  }

  void skip_blanks() {
    std::size_t first = text_.find_first_not_of(kBlanks);
    text_.remove_prefix(first == text_.npos ? text_.size() : first);
  }

  bool accepts(char wanted) {
    skip_blanks();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) {
    if (!accepts(wanted)) wrong(std::string(1, wanted));
  }

  bool accepts_word(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  bool starts_string() const {
    return !text_.empty() && (text_.front() == '"' || text_.front() == '\'');
  }

  Json array(int depth) {
    Json list = Json::array();
    while (!accepts(']')) {
      list.push_back(value(depth + 1));
      if (!accepts(',')) {
        expect(']');
        break;
      }
    }
    return list;
  }

  Json object(int depth) {
    Json members = Json::object();
    while (!accepts('}')) {
      skip_blanks();
      std::string key = starts_string() ? string() : name();
      expect(':');
      require(!members.contains(key), ErrorKind::kInput, "{}: key \"{}\" appears twice", where_,
              key);
      members[key] = value(depth + 1);
      if (!accepts(',')) {
        expect('}');
        break;
      }
    }
    return members;
  }

  std::string name() {
    std::size_t end = 0;
    while (end < text_.size() && is_name_character(text_[end])) ++end;
    if (end == 0) wrong("a key");
    std::string found(text_.substr(0, end));
    text_.remove_prefix(end);
    return found;
  }

  std::string string() {
    char quote = text_.front();
    std::size_t end = text_.find(quote, 1);
    if (end == text_.npos) wrong("a string that ends");
    std::string found(text_.substr(1, end - 1));
    if (found.find('\\') != found.npos) wrong("a string without escapes");
    text_.remove_prefix(end + 1);
    return found;
  }

  // JavaScript has one kind of number: a whole one is an integer here, however it is written.
  Json number() {
    double found = 0;
    auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), found);
    if (error != std::errc() || !std::isfinite(found)) wrong("a number");
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    constexpr double kExact = 9007199254740992.0;  // 2^53
    bool whole = std::floor(found) == found && std::abs(found) <= kExact;
    if (whole && found >= 0) return static_cast<uint64_t>(found);
    return whole ? Json(static_cast<int64_t>(found)) : Json(found);
  }

  Json flag() {
    if (accepts_word("0")) return true;
    if (accepts_word("1")) return false;
    wrong("!0 or !1");
  }

  std::string_view text_, where_;
};

}  // namespace

Json js_property(std::string_view source, std::string_view name, std::string_view where) {
  return Literal(behind(source, std::string(name) + ":", where), where).value();
}

std::string js_exported_bytes(std::string_view source, std::string_view where) {
  std::string_view text = behind(source, "exports=\"", where);
  text = text.substr(0, text.find('"'));
  bool sound = !text.empty() && text.size() % 4 == 0 && text.size() <= INT32_MAX;
  require(sound, ErrorKind::kInput, "{}: {} characters; expected base64, a multiple of 4", where,
          text.size());
  std::string bytes(text.size() / 4 * 3, '\0');
  int count = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                reinterpret_cast<const unsigned char*>(text.data()),
                                static_cast<int>(text.size()));
  require(count == static_cast<int>(bytes.size()), ErrorKind::kInput,
          "{}: the exported string is not base64", where);
  // Padding decodes to zeros.
  std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace inlay
