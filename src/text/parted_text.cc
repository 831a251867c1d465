#include "text/parted_text.h"

#include <algorithm>

#include "base/error.h"
#include "text/pipeline.h"

namespace inlay::text {

PartedText::PartedText(std::span<const TextPart> parts) {
  starts_.reserve(parts.size());
  for (const TextPart& part : parts) {
    require_text(part.text);
    require(joined_.size() + part.text.size() <= kMaxTextBytes, ErrorKind::kInput,
            "the parts of the text have more than {} bytes together, which is not supported",
            kMaxTextBytes);
    const auto begin = static_cast<uint32_t>(joined_.size());
    starts_.push_back(begin);
    joined_ += part.text;
    const auto end = static_cast<uint32_t>(joined_.size());
    if (part.plain || begin == end) continue;
    if (!searchable_.empty() && searchable_.back().end == begin) {
      searchable_.back().end = end;
    } else {
      searchable_.push_back({begin, end});
    }
  }
}

int32_t PartedText::part_at(uint32_t at) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), at);
  return static_cast<int32_t>(after - starts_.begin()) - 1;
}

bool PartedText::is_plain(Range range) const {
  const uint32_t last = std::max(range.begin + 1, range.end);
  const auto after =
      std::upper_bound(searchable_.begin(), searchable_.end(), range.begin,
                       [](uint32_t at, const Range& stretch) { return at < stretch.begin; });
  return after == searchable_.begin() || std::prev(after)->end < last;
}

std::vector<Range> PartedText::searchable_in(const AlignedText& text) const {
  std::vector<Range> stretches;
  for (uint32_t at = 0; at < text.size(); ++at) {
    if (is_plain(text.origin(at))) continue;
    if (!stretches.empty() && stretches.back().end == at) {
      ++stretches.back().end;
    } else {
      stretches.push_back({at, at + 1});
    }
  }
  return stretches;
}

}  // namespace inlay::text
