// Turns queries and keys of ragged batches by the positions of their tokens.
//
//   RotaryPositions positions(read_rotary_frequencies(config, head_dim, max_positions));
//   Rotation rotation = positions.of(context, rows);      // once for all layers
//   Variable q = rotary(context, q, heads, *rotation.tables, *rotation.rows);
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "models/rotary_frequencies.h"
#include "nn/context.h"

namespace inlay {

// Row i of a batch turns by row rows[i] of the tables.
struct Rotation {
  const RotaryTables* tables = nullptr;
  const std::vector<int32_t>* rows = nullptr;
};

// Shared by all contexts of a base. Tables are made as long as the longest text so far needs, and
// live as long as this.
class RotaryPositions {
 public:
  explicit RotaryPositions(RotaryFrequencies frequencies) : frequencies_(std::move(frequencies)) {}

  // Positions count an example's rows, virtual ones too, from `past` of that example on (0 where
  // `past` is empty). Which frequencies an example takes depends on its own length alone.
  Rotation of(Context& context, const RowSpace& space, std::span<const int64_t> past = {}) const;

 private:
  // Tables of the usual frequencies, then, from row `positions` on, of those for long texts.
  struct Made {
    int64_t positions = 0;
    RotaryTables tables;
  };
  const Made& made_for(int64_t positions) const;

  RotaryFrequencies frequencies_;
  std::unique_ptr<std::mutex> lock_ = std::make_unique<std::mutex>();
  mutable std::deque<Made> made_;
};

}  // namespace inlay
