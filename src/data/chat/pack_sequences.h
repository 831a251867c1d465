// Which sequences share a row of a fixed length, so that little of it stays empty. The sequences of
// a group stay examples of their own: a ragged batch lays them end to end, each with attention and
// positions to itself.
//
//   Packing packing = pack_sequences(lengths, 2048);
//   packing.groups[0];   // {0, 3, 17}: lengths[0] + lengths[3] + lengths[17] <= 2048
//   packing.fill();      // 0.97
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace inlay {

struct Packing {
  std::vector<std::vector<std::size_t>> groups;  // indices, ascending within a group
  std::int64_t tokens = 0;                       // of all sequences
  std::int64_t max_tokens = 0;                   // of a group

  // The share of the groups' places that hold a token; 0 without groups.
  double fill() const;
};

// Best fit, the longest first, equally long ones in their order: every sequence goes where it
// leaves the least room. O(n log n); for many sequences at most 11/9 of the fewest possible groups
// (Johnson 1973). Every sequence is in exactly one group. kUsage: a length that is not between 1
// and `max_tokens`.
Packing pack_sequences(std::span<const std::int64_t> lengths, std::int64_t max_tokens);

}  // namespace inlay
