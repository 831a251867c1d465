// The order of an epoch and its effective batches: what one optimizer step sees. Batches are ragged
// (no padding), so there is nothing to gain from sorting by length, and the order is the seeded
// shuffle itself.
//
//   for (const Batch& batch : make_batches(epoch_order(split.train, seed, epoch), token_counts,
//   32))
//     for (Range micro : micro_batches(batch, 8)) step(lay_out(rows_of(batch, micro)));
//
// An example's place in its effective batch, not in a micro-batch, is what random streams count by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace inlay {

struct Batch {
  std::vector<std::size_t> examples;
  std::int64_t tokens = 0;
};

// A stretch of a batch: places first to first + count - 1.
struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
};

// Token ids of some rows laid end to end: row i is ids[offsets[i]] to ids[offsets[i + 1]].
struct RaggedIds {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> offsets;  // one more than rows; the first is 0
};

// The examples in the order of this epoch, a pure function of (seed, epoch, examples).
std::vector<std::size_t> epoch_order(std::span<const std::size_t> examples, std::uint64_t seed,
                                     std::uint64_t epoch);

// Consecutive batches of `batch_size`; the last one holds what is left and may be shorter.
// token_counts is indexed by example. REQUIRES: batch_size > 0.
std::vector<Batch> make_batches(std::span<const std::size_t> order,
                                std::span<const std::int32_t> token_counts, std::size_t batch_size);

// Cuts a batch into stretches of at most `size` examples. REQUIRES: size > 0.
std::vector<Range> micro_batches(const Batch& batch, std::size_t size);

RaggedIds lay_out(std::span<const std::span<const std::int32_t>> rows);

}  // namespace inlay
