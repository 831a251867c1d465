#include "text/splitting.h"

#include <algorithm>
#include <utility>

namespace inlay::text {
namespace {

constexpr std::pair<std::string_view, SplitBehavior> kBehaviors[] = {
    {"Removed", SplitBehavior::kRemoved},
    {"Isolated", SplitBehavior::kIsolated},
    {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
    {"MergedWithNext", SplitBehavior::kMergedWithNext},
    {"Contiguous", SplitBehavior::kContiguous},
};

// Neighbours become one part where `joins(before, now)` says so.
template <class Joins>
void merge(const std::vector<Stretch>& stretches, Joins joins, std::vector<Range>& parts) {
  const std::size_t first = parts.size();
  bool before = false;
  for (const Stretch& stretch : stretches) {
    if (parts.size() > first && joins(before, stretch.is_delimiter)) {
      parts.back().end = stretch.range.end;
    } else {
      parts.push_back(stretch.range);
    }
    before = stretch.is_delimiter;
  }
}

// As merging with the previous one, seen from the right.
void merge_with_next(const std::vector<Stretch>& stretches, std::vector<Range>& parts) {
  const std::size_t first = parts.size();
  bool after = false;
  for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
    if (parts.size() > first && stretch->is_delimiter && !after) {
      parts.back().begin = stretch->range.begin;
    } else {
      parts.push_back(stretch->range);
    }
    after = stretch->is_delimiter;
  }
  std::reverse(parts.begin() + static_cast<std::ptrdiff_t>(first), parts.end());
}

}  // namespace

SplitBehavior read_split_behavior(const Component& component, SplitBehavior fallback) {
  if (!component.has("behavior")) return fallback;
  const std::string name = component.text("behavior");
  std::string known;
  for (const auto& [text, behavior] : kBehaviors) {
    if (text == name) return behavior;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  fail(ErrorKind::kInput, "{}: behavior \"{}\" is not supported; supported: {}", component.place(),
       name.substr(0, 60), known);
}

std::vector<Stretch> stretches(uint32_t size, const std::vector<Range>& matches, bool invert) {
  std::vector<Stretch> found;
  found.reserve(2 * matches.size() + 1);
  uint32_t done = 0;
  for (const Range& match : matches) {
    if (done != match.begin) found.push_back({{done, match.begin}, invert});
    found.push_back({match, !invert});
    done = match.end;
  }
  if (done != size) found.push_back({{done, size}, invert});
  return found;
}

void split_stretches(const std::vector<Stretch>& stretches, SplitBehavior behavior,
                     std::vector<Range>& parts) {
  switch (behavior) {
    case SplitBehavior::kRemoved:
      for (const Stretch& stretch : stretches) {
        if (!stretch.is_delimiter) parts.push_back(stretch.range);
      }
      return;
    case SplitBehavior::kIsolated:
      return merge(
          stretches, [](bool, bool) { return false; }, parts);
    case SplitBehavior::kContiguous:
      return merge(
          stretches, [](bool before, bool now) { return before == now; }, parts);
    case SplitBehavior::kMergedWithPrevious:
      return merge(
          stretches, [](bool before, bool now) { return now && !before; }, parts);
    case SplitBehavior::kMergedWithNext:
      return merge_with_next(stretches, parts);
  }
}

}  // namespace inlay::text
