// What the rows of a variable stand for: the tokens of a ragged batch laid end to end, one row per
// example after pooling, or a selection of tokens. Ops that treat rows alike hand the space on;
// gradients of parameters are summed over its chunks, and dropout counts by its places, so neither
// depends on how a batch was split.
#pragma once

#include <cstdint>
#include <vector>

namespace inlay {

// Height and width of a map of places; 0: none.
struct MapSize {
  int64_t height = 0, width = 0;

  int64_t places() const { return height * width; }
  bool operator==(const MapSize&) const = default;
};

struct RowSpace {
  // Rows [example_offsets[i], example_offsets[i + 1]) belong to example i of this micro-batch; to
  // sequence i where examples have several.
  std::vector<int64_t> example_offsets;
  // Rows [chunk_offsets[i], chunk_offsets[i + 1]) belong to gradient chunk i: one example for
  // adapters, four for full training. The partial gradients of chunks are summed in a fixed binary
  // tree.
  std::vector<int64_t> chunk_offsets;
  // Per row: the example's place in the effective batch, and the token's position within its
  // example (0 after pooling).
  std::vector<int32_t> example_place;
  // Virtual tokens, which adapters set among an example's own, have negative positions.
  std::vector<int32_t> token_position;
  // Per row: what is added to its score where it is attended to, the log of a gate; empty: nothing.
  std::vector<float> key_bias = {};
  // Of images: rows [before_map, before_map + map.places()) of every example are the places of a
  // map, line by line, and nothing stands behind them. What stands before them is of no place, such
  // as a class token. Where adapters set virtual tokens before the maps of some examples alone,
  // before_map is that of the first example.
  MapSize map = {};
  int64_t before_map = 0;

  int64_t rows() const { return example_offsets.back(); }
  int64_t examples() const { return static_cast<int64_t>(example_offsets.size()) - 1; }
  int64_t chunks() const { return static_cast<int64_t>(chunk_offsets.size()) - 1; }
};

// A space of `count` rows that nothing trainable reads any more, such as losses.
inline RowSpace rows_alone(int64_t count) {
  RowSpace space{.example_offsets = {0}, .chunk_offsets = {0, count}};
  for (int64_t row = 0; row < count; ++row) {
    space.example_offsets.push_back(row + 1);
    space.example_place.push_back(static_cast<int32_t>(row));
    space.token_position.push_back(0);
  }
  return space;
}

}  // namespace inlay
