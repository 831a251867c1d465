#include "data/batches.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace inlay {

std::vector<std::size_t> epoch_order(std::span<const std::size_t> examples, std::uint64_t seed,
                                     std::uint64_t epoch) {
  std::vector<std::size_t> order =
      shuffled(examples.size(), Stream(seed, fmt::format("shuffle/epoch {}", epoch)));
  for (std::size_t& place : order) place = examples[place];
  return order;
}

std::vector<Batch> make_batches(std::span<const std::size_t> order,
                                std::span<const std::int32_t> token_counts,
                                std::size_t batch_size) {
  require(batch_size > 0, ErrorKind::kUsage, "a batch size of 0; expected at least 1");
  std::vector<Batch> batches;
  for (std::size_t start = 0; start < order.size(); start += batch_size) {
    Batch batch;
    for (std::size_t index : order.subspan(start, std::min(batch_size, order.size() - start))) {
      ensure(index < token_counts.size(), "example {} has no token count; there are {}", index,
             token_counts.size());
      batch.examples.push_back(index);
      batch.tokens += token_counts[index];
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

std::vector<Range> micro_batches(const Batch& batch, std::size_t size) {
  require(size > 0, ErrorKind::kUsage, "a micro-batch size of 0; expected at least 1");
  std::vector<Range> ranges;
  std::size_t n = batch.examples.size();
  for (std::size_t first = 0; first < n; first += size)
    ranges.push_back({first, std::min(size, n - first)});
  return ranges;
}

RaggedIds lay_out(std::span<const std::span<const std::int32_t>> rows) {
  std::size_t total = 0;
  for (const auto& row : rows) total += row.size();
  require(total <= std::numeric_limits<std::int32_t>::max(), ErrorKind::kInput,
          "a batch of {} tokens; expected at most 2^31 - 1: use a smaller batch", total);
  RaggedIds ragged;
  ragged.ids.reserve(total);
  ragged.offsets.push_back(0);
  for (const auto& row : rows) {
    ragged.ids.insert(ragged.ids.end(), row.begin(), row.end());
    ragged.offsets.push_back(static_cast<std::int32_t>(ragged.ids.size()));
  }
  return ragged;
}

}  // namespace inlay
