// A text cut into pieces, the unit that a model turns into tokens. Pre-tokenizers cut the pieces
// smaller (`split`) or rewrite their text (`rewrite`).
#pragma once

#include <utility>
#include <vector>

#include "text/aligned_text.h"

namespace inlay::text {

class Pieces {
 public:
  // One piece: all of `text`.
  explicit Pieces(AlignedText text) : text_(std::move(text)) {
    if (text_.size() > 0) ranges_.push_back({0, text_.size()});
  }

  const AlignedText& text() const { return text_; }
  const std::vector<Range>& ranges() const { return ranges_; }

  // Replaces every piece by those that `cut(view, parts)` appends to `parts`, counted from the
  // piece's start. Empty parts vanish.
  template <class Cut>
  void split(Cut cut) {
    std::vector<Range> next;
    std::vector<Range> parts;
    next.reserve(ranges_.size());
    for (const Range& piece : ranges_) {
      parts.clear();
      cut(text_.view(piece), parts);
      for (const Range& part : parts) {
        if (part.begin < part.end)
          next.push_back({piece.begin + part.begin, piece.begin + part.end});
      }
    }
    ranges_ = std::move(next);
  }

  // Builds a new text of the pieces alone: `write(text, piece, builder)` appends what a piece
  // becomes.
  template <class Write>
  void rewrite(Write write) {
    AlignedText::Builder builder(text_);
    std::vector<Range> next;
    next.reserve(ranges_.size());
    for (const Range& piece : ranges_) {
      const uint32_t begin = builder.size();
      write(text_, piece, builder);
      if (begin < builder.size()) next.push_back({begin, builder.size()});
    }
    text_ = std::move(builder).finish();
    ranges_ = std::move(next);
  }

 private:
  AlignedText text_;
  std::vector<Range> ranges_;
};

}  // namespace inlay::text
