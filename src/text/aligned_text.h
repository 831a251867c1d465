// A text under transformation that remembers, for every byte, which bytes of the original it came
// from. Normalizers and pre-tokenizers rewrite it; the offsets of tokens are read from it at the
// end.
//
//   AlignedText text("Ab");
//   AlignedText::Builder out(text);
//   out.put('a', text.origin(0));
//   out.keep(1, 2);
//   text = std::move(out).finish();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::text {

// Bytes [begin, end).
struct Range {
  uint32_t begin;
  uint32_t end;
  bool operator==(const Range&) const = default;
};

class AlignedText {
 public:
  class Builder;

  // The untouched bytes `part` of `original`. REQUIRES: valid UTF-8, character boundaries, under 1
  // GiB.
  AlignedText(std::string_view original, Range part);
  explicit AlignedText(std::string_view original);

  const std::string& bytes() const { return bytes_; }
  std::string_view view(Range range) const {
    return std::string_view(bytes_).substr(range.begin, range.end - range.begin);
  }
  uint32_t size() const { return static_cast<uint32_t>(bytes_.size()); }

  // Original bytes behind one byte, or behind a range of them.
  Range origin(uint32_t byte) const;
  Range origin(Range range) const;
  // What text inserted before `byte` is attributed to: the character on its left, or the empty
  // start.
  Range origin_before(uint32_t byte) const { return byte == 0 ? Range{0, 0} : origin(byte - 1); }

  AlignedText slice(Range range) const;

  // An Error where the next version of the text would have more than it may grow to.
  void require_room_for(std::size_t bytes) const;

  // For rewriting that keeps every character in its place and of its length.
  std::string& bytes_in_place() { return bytes_; }

 private:
  AlignedText() = default;

  std::string bytes_;
  std::vector<Range> origins_;  // empty: byte i is byte shift_ + i of the original
  uint32_t shift_ = 0;
  uint64_t limit_ = 0;  // what bytes_ may grow to
};

// Collects the next version of a text. A tokenizer file cannot make a text grow without bound: past
// 32 times the original and 64 KiB it is an Error.
class AlignedText::Builder {
 public:
  explicit Builder(const AlignedText& source);

  uint32_t size() const { return static_cast<uint32_t>(next_.bytes_.size()); }
  void keep(uint32_t begin, uint32_t end);  // bytes of the source, as they are
  void put(char32_t c, Range origin);
  void put(std::string_view utf8, Range origin);
  AlignedText finish() && { return std::move(next_); }

 private:
  const AlignedText& source_;
  AlignedText next_;
};

}  // namespace inlay::text
