#include "models/rotary_positions.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace inlay {
namespace {

constexpr int64_t kLeastPositions = 256;

Tensor stacked(const Tensor& above, const Tensor& below) {
  Tensor both = Tensor::empty({above.dim(0) + below.dim(0), above.dim(1)}, above.dtype());
  std::memcpy(both.mutable_raw(), above.raw(), above.byte_count());
  std::memcpy(both.mutable_raw() + above.byte_count(), below.raw(), below.byte_count());
  return both;
}

}  // namespace

const RotaryPositions::Made& RotaryPositions::made_for(int64_t positions) const {
  std::lock_guard guard(*lock_);
  if (!made_.empty() && made_.back().positions >= positions) return made_.back();
  auto rounded = static_cast<int64_t>(
      std::bit_ceil(static_cast<uint64_t>(std::max(positions, kLeastPositions))));
  double scale = frequencies_.scale;
  Made made{rounded, rotary_tables(frequencies_.inverse, scale, rounded)};
  if (!frequencies_.inverse_long.empty()) {
    RotaryTables of_long = rotary_tables(frequencies_.inverse_long, scale, rounded);
    made.tables = {stacked(made.tables.cosine, of_long.cosine),
                   stacked(made.tables.sine, of_long.sine)};
  }
  return made_.emplace_back(std::move(made));
}

Rotation RotaryPositions::of(Context& context, const RowSpace& space,
                             std::span<const int64_t> past) const {
  auto before = [&](std::size_t e) { return past.empty() ? 0 : past[e]; };
  int64_t longest = 0;
  for (std::size_t e = 0; e + 1 < space.example_offsets.size(); ++e) {
    int64_t count = space.example_offsets[e + 1] - space.example_offsets[e];
    longest = std::max(longest, before(e) + count);
  }
  const Made& made = made_for(longest);
  std::vector<int32_t> rows;
  rows.reserve(static_cast<std::size_t>(space.rows()));
  for (std::size_t e = 0; e + 1 < space.example_offsets.size(); ++e) {
    int64_t count = space.example_offsets[e + 1] - space.example_offsets[e];
    bool is_long =
        !frequencies_.inverse_long.empty() && before(e) + count > frequencies_.original_positions;
    int64_t first = before(e) + (is_long ? made.positions : 0);
    for (int64_t i = 0; i < count; ++i) rows.push_back(static_cast<int32_t>(first + i));
  }
  return {&made.tables, context.keep(std::move(rows))};
}

}  // namespace inlay
