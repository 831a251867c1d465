// A text made of parts, some of which come from outside: no special token is read in those.
//
//   const TextPart parts[] = {{"<|user|>"}, {question, true}, {"<|end|>"}};
//   PartedText text(parts);
//   text.joined();           // all of it
//   text.is_plain({3, 12});  // whether any of these bytes come from outside
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"
#include "text/tokenizer.h"

namespace inlay::text {

class PartedText {
 public:
  // Parts that are not valid UTF-8, each of them alone, or too long together are an Error.
  explicit PartedText(std::span<const TextPart> parts);

  const std::string& joined() const { return joined_; }
  // The part that byte `at` of the joined text belongs to; of its end, the last part.
  int32_t part_at(uint32_t at) const;
  // Whether any of the bytes, or, of an empty range, the byte there, is in a plain part.
  bool is_plain(Range range) const;
  // The stretches of the joined text between plain parts, where special tokens are read.
  const std::vector<Range>& searchable() const { return searchable_; }
  // The same of a text that was made of the joined one.
  std::vector<Range> searchable_in(const AlignedText& text) const;

 private:
  std::string joined_;
  std::vector<uint32_t> starts_;   // by part
  std::vector<Range> searchable_;  // ascending, apart from each other
};

}  // namespace inlay::text
