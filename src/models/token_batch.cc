#include "models/token_batch.h"

#include "base/error.h"

namespace inlay {
namespace {

// Which sequences are the last of a gradient chunk.
std::vector<bool> chunk_ends(int64_t count, const BatchPlace& place) {
  std::vector<bool> closes(static_cast<std::size_t>(count));
  int64_t end = 0, example = 0;
  while (end < count) {
    bool plain = place.sequences.empty();
    end += plain ? 1 : place.sequences[static_cast<std::size_t>(example)];
    ++example;
    ensure(end <= count, "{} sequences for examples of {} or more", count, end);
    closes[static_cast<std::size_t>(end) - 1] = example % place.chunk == 0 || end == count;
  }
  return closes;
}

}  // namespace

TokenBatch make_token_batch(std::span<const TokenSequence* const> sequences,
                            const BatchPlace& place) {
  ensure(place.first % place.chunk == 0, "a micro-batch begins at place {}, inside a chunk of {}",
         place.first, place.chunk);
  TokenBatch batch;
  for (RowSpace* space : {&batch.tokens, &batch.examples, &batch.asked_tokens})
    space->example_offsets = space->chunk_offsets = {0};
  auto count = static_cast<int64_t>(sequences.size());
  std::vector<bool> closes = chunk_ends(count, place);
  int64_t first = place.sequences.empty() ? place.first : place.first_sequence;
  for (int64_t i = 0; i < count; ++i) {
    const TokenSequence& sequence = *sequences[static_cast<std::size_t>(i)];
    auto example_place = static_cast<int32_t>(first + i);
    for (std::size_t t = 0; t < sequence.ids.size(); ++t) {
      batch.ids.push_back(sequence.ids[t]);
      batch.types.push_back(sequence.types.empty() ? 0 : sequence.types[t]);
      batch.positions.push_back(static_cast<int32_t>(place.first_position) +
                                static_cast<int32_t>(t));
      batch.tokens.example_place.push_back(example_place);
      batch.tokens.token_position.push_back(static_cast<int32_t>(t));
    }
    for (int32_t t : sequence.asked) {
      batch.asked.push_back(batch.tokens.example_offsets.back() + t);
      batch.asked_tokens.example_place.push_back(example_place);
      batch.asked_tokens.token_position.push_back(t);
    }
    batch.tokens.example_offsets.push_back(static_cast<int64_t>(batch.ids.size()));
    batch.asked_tokens.example_offsets.push_back(static_cast<int64_t>(batch.asked.size()));
    batch.examples.example_offsets.push_back(i + 1);
    batch.examples.example_place.push_back(example_place);
    batch.examples.token_position.push_back(0);
    if (closes[static_cast<std::size_t>(i)]) {
      batch.tokens.chunk_offsets.push_back(batch.tokens.example_offsets.back());
      batch.examples.chunk_offsets.push_back(i + 1);
      batch.asked_tokens.chunk_offsets.push_back(batch.asked_tokens.example_offsets.back());
    }
  }
  return batch;
}

}  // namespace inlay
