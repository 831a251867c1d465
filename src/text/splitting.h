// What becomes of the delimiters when a piece is cut at them. For "the-final--countdown" cut at
// "-":
//   kRemoved             the|final|countdown
//   kIsolated            the|-|final|-|-|countdown
//   kMergedWithPrevious  the-|final-|-|countdown
//   kMergedWithNext      the|-final|-|-countdown
//   kContiguous          the|-|final|--|countdown
#pragma once

#include <string_view>
#include <vector>

#include "text/aligned_text.h"
#include "text/component.h"
#include "text/utf8.h"

namespace inlay::text {

enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// The member "behavior" of `component`.
SplitBehavior read_split_behavior(const Component& component, SplitBehavior fallback);

// A stretch of a piece, delimiter or not; stretches follow each other without gaps.
struct Stretch {
  Range range;
  bool is_delimiter;
};

// The stretches of a text of `size` bytes in which the delimiters stand at `matches`, or, inverted,
// between them.
std::vector<Stretch> stretches(uint32_t size, const std::vector<Range>& matches, bool invert);

// Every character for which `is_delimiter` holds is a delimiter of its own.
template <class IsDelimiter>
std::vector<Stretch> character_stretches(std::string_view text, IsDelimiter is_delimiter) {
  std::vector<Range> matches;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    const auto begin = static_cast<uint32_t>(at);
    at += c.length;
    if (is_delimiter(c.code)) matches.push_back({begin, static_cast<uint32_t>(at)});
  }
  return stretches(static_cast<uint32_t>(text.size()), matches, false);
}

void split_stretches(const std::vector<Stretch>& stretches, SplitBehavior behavior,
                     std::vector<Range>& parts);

}  // namespace inlay::text
