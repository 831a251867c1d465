#include "data/encoding.h"

#include <algorithm>
#include <cstddef>

#include "base/error.h"

namespace inlay {
namespace {

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// The length of the well-formed UTF-8 sequence at `at`, 0 when there is none (Unicode 15, table
// 3-7).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(text, at + 1)) return 0;
  if (first < 0xE0) return 2;
  auto second = static_cast<unsigned char>(text[at + 1]);
  if (first < 0xF0) {
    bool overlong = first == 0xE0 && second < 0xA0;
    bool surrogate = first == 0xED && second >= 0xA0;
    return !overlong && !surrogate && continues(text, at + 2) ? 3 : 0;
  }
  bool overlong = first == 0xF0 && second < 0x90;
  bool beyond = first == 0xF4 && second >= 0x90;
  return !overlong && !beyond && continues(text, at + 2) && continues(text, at + 3) ? 4 : 0;
}

struct Place {
  std::size_t line;
  std::size_t byte;  // within the line, from 1
};

Place place_of(std::string_view text, std::size_t at) {
  std::string_view before = text.substr(0, at);
  auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  return {lines + 1, at - line_start + 1};
}

void refuse_binary(std::string_view bytes, std::string_view source) {
  bool utf16 = bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF");
  require(!utf16, ErrorKind::kInput,
          "{}: the file is UTF-16; expected UTF-8: save it again as UTF-8", source);
  std::size_t nul = bytes.find('\0');
  if (nul == bytes.npos) return;
  Place place = place_of(bytes, nul);
  fail(ErrorKind::kInput,
       "{}: line {}, byte {}: found a NUL byte, so this is a binary file; expected UTF-8 text "
       "(CSV, TSV, JSONL or JSON)",
       source, place.line, place.byte);
}

}  // namespace

std::string_view checked_text(std::string_view bytes, std::string_view source) {
  refuse_binary(bytes, source);
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  require(!trimmed(bytes).empty(), ErrorKind::kInput,
          "{}: the file is empty; expected rows of data", source);
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t length = sequence_length(bytes, at);
    if (length == 0) {
      Place place = place_of(bytes, at);
      fail(ErrorKind::kInput,
           "{}: line {}, byte {}: invalid UTF-8 (byte 0x{:02X}); expected UTF-8: convert the file",
           source, place.line, place.byte, static_cast<unsigned char>(bytes[at]));
    }
    at += length;
  }
  return bytes;
}

std::string excerpt(std::string_view text, std::size_t most) {
  std::string shown = "\"";
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t length = sequence_length(text, at);
    if (at + std::max<std::size_t>(length, 1) > most) break;
    auto byte = static_cast<unsigned char>(text[at]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      shown += fmt::format("\\x{:02X}", byte);
      length = 1;
    } else {
      shown += text.substr(at, length);
    }
    at += length;
  }
  return shown + (at < text.size() ? "…\"" : "\"");
}

std::string listed(std::span<const std::string> names) {
  constexpr std::size_t kMost = 20;
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i)
    list += (i == 0 ? "" : ", ") + excerpt(names[i]);
  return list + (names.size() > kMost ? ", …" : "");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  std::size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace inlay
