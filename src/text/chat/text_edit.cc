#include "text/chat/text_edit.h"

#include <algorithm>
#include <limits>

#include "text/chat/compare.h"
#include "text/chat/whitespace.h"
#include "text/utf8.h"

namespace inlay::chat {
namespace {

// The set of characters that strip() removes.
class StripSet {
 public:
  StripSet(Heap& heap, std::optional<std::string_view> characters) : whitespace_(!characters) {
    if (!characters) return;
    heap.budget.text(characters->size() * sizeof(char32_t));
    codes_.reserve(characters->size());
    for (std::size_t at = 0; at < characters->size();) {
      const text::Utf8Char c = text::decode_utf8(*characters, at);
      codes_.push_back(c.code);
      at += c.length;
    }
    std::sort(codes_.begin(), codes_.end());
  }
  bool holds(char32_t c) const {
    return whitespace_ ? is_python_space(c) : std::binary_search(codes_.begin(), codes_.end(), c);
  }

 private:
  bool whitespace_;
  std::vector<char32_t> codes_;
};

uint64_t cuts(int64_t limit) {
  return limit < 0 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(limit);
}

bool ends_line(char32_t c) {
  return (c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

// Searching backwards is searching forwards in the reversed bytes, in linear time.
std::string reversed(std::string_view text) { return {text.rbegin(), text.rend()}; }

MarkedText with_between(const MarkedText& text, const MarkedText& replacement, uint64_t count) {
  MarkedText result;
  std::size_t at = 0;
  for (; at < text.size() && count > 0; --count) {
    result.append(replacement);
    const std::size_t next = at + text::decode_utf8(text.bytes(), at).length;
    result.append(text, at, next);
    at = next;
  }
  result.append(text, at, text.size());
  if (count > 0) result.append(replacement);
  return result;
}

}  // namespace

MarkedText stripped(Heap& heap, const MarkedText& text, Sides sides,
                    std::optional<std::string_view> characters) {
  const StripSet set(heap, characters);
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (sides != Sides::kRight && begin < end) {
    const text::Utf8Char c = text::decode_utf8(text.bytes(), begin);
    if (!set.holds(c.code)) break;
    begin += c.length;
  }
  while (sides != Sides::kLeft && begin < end) {
    const std::size_t previous = text::previous_utf8(text.bytes(), end);
    if (!set.holds(text::decode_utf8(text.bytes(), previous).code)) break;
    end = previous;
  }
  return text.slice(begin, end);
}

MarkedText replaced(const MarkedText& text, std::string_view old, const MarkedText& replacement,
                    int64_t count) {
  uint64_t left = cuts(count);
  if (old.empty()) return with_between(text, replacement, left);
  MarkedText result;
  std::size_t at = 0;
  for (; left > 0; --left) {
    const std::size_t found = find_bytes(text.bytes(), old, at);
    if (found == std::string::npos) break;
    result.append(text, at, found);
    result.append(replacement);
    at = found + old.size();
  }
  result.append(text, at, text.size());
  return result;
}

std::vector<Value> split(Heap& heap, const MarkedText& text, std::string_view separator,
                         int64_t limit) {
  std::vector<Value> pieces;
  std::size_t at = 0;
  while (pieces.size() < cuts(limit)) {
    const std::size_t found = find_bytes(text.bytes(), separator, at);
    if (found == std::string::npos) break;
    pieces.push_back(heap.text(text.slice(at, found)));
    at = found + separator.size();
  }
  pieces.push_back(heap.text(text.slice(at, text.size())));
  return pieces;
}

std::vector<Value> split_from_right(Heap& heap, const MarkedText& text, std::string_view separator,
                                    int64_t limit) {
  std::vector<Value> pieces;
  heap.budget.text(separator.size());
  const std::string backwards = reversed(text.bytes());
  const std::string wanted = reversed(separator);
  std::size_t at = 0;
  while (pieces.size() < cuts(limit)) {
    const std::size_t found = find_bytes(backwards, wanted, at);
    if (found == std::string::npos) break;
    pieces.push_back(heap.text(text.slice(text.size() - found, text.size() - at)));
    at = found + wanted.size();
  }
  pieces.push_back(heap.text(text.slice(0, text.size() - at)));
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

std::vector<Value> split_words(Heap& heap, const MarkedText& text, int64_t limit) {
  std::vector<Value> pieces;
  const std::string_view bytes = text.bytes();
  std::size_t at = leading_space_end(bytes);
  while (at < bytes.size()) {
    if (pieces.size() >= cuts(limit)) {
      pieces.push_back(heap.text(text.slice(at, bytes.size())));
      break;
    }
    std::size_t end = at;
    while (end < bytes.size() && !is_python_space(text::decode_utf8(bytes, end).code)) {
      end += text::decode_utf8(bytes, end).length;
    }
    pieces.push_back(heap.text(text.slice(at, end)));
    at = end + leading_space_end(bytes.substr(end));
  }
  return pieces;
}

std::vector<Value> split_lines(Heap& heap, const MarkedText& text, bool keep_ends) {
  std::vector<Value> lines;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const text::Utf8Char c = text::decode_utf8(text.bytes(), at);
    const std::size_t end = at;
    at += c.length;
    if (!ends_line(c.code)) continue;
    if (c.code == '\r' && at < text.size() && text.bytes()[at] == '\n') ++at;
    lines.push_back(heap.text(text.slice(begin, keep_ends ? at : end)));
    begin = at;
  }
  if (begin < text.size()) lines.push_back(heap.text(text.slice(begin, text.size())));
  return lines;
}

std::optional<std::size_t> find_last(Heap& heap, std::string_view text, std::string_view wanted) {
  heap.budget.text(wanted.size());
  const std::size_t found = find_bytes(reversed(text), reversed(wanted), 0);
  if (found == std::string::npos) return std::nullopt;
  return text.size() - found - wanted.size();
}

}  // namespace inlay::chat
