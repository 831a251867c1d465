#include "models/token_batch.h"

#include <algorithm>
#include <exception>
#include <string>

#include "base/error.h"

namespace inlay {
namespace {

constexpr int64_t kPatch = 16;  // pixels

// The pixels of images laid end to end.
Tensor read_pixels(std::span<const TokenSequence* const> sequences, MapSize size) {
  auto count = static_cast<int64_t>(sequences.size());
  Tensor pixels = Tensor::empty({count * size.places(), 3}, DType::kF32);
  std::vector<std::string> failures(sequences.size());
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) {
    auto own = static_cast<std::size_t>(i);
    try {
      sequences[own]->pixels->read(pixels.mutable_data<float>() + i * size.places() * 3);
    } catch (const std::exception& error) {
      failures[own] = error.what();
    }
  }
  for (const std::string& failure : failures)
    require(failure.empty(), ErrorKind::kInput, "{}", failure);
  return pixels;
}

// The size of all images; nothing for texts.
MapSize common_size(std::span<const TokenSequence* const> sequences) {
  if (sequences.empty() || sequences[0]->pixels == nullptr) return {};
  MapSize size = sequences[0]->pixels->size();
  for (const TokenSequence* sequence : sequences)
    ensure(sequence->pixels != nullptr && sequence->pixels->size() == size,
           "images of several sizes in one batch");
  return size;
}

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

int64_t TokenSequence::token_count() const {
  if (pixels == nullptr) return static_cast<int64_t>(ids.size());
  auto patches = [](int64_t side) { return (side + kPatch - 1) / kPatch; };
  MapSize size = pixels->size();
  return patches(size.height) * patches(size.width);
}

TokenBatch make_token_batch(std::span<const TokenSequence* const> sequences,
                            const BatchPlace& place) {
  ensure(place.first % place.chunk == 0, "a micro-batch begins at place {}, inside a chunk of {}",
         place.first, place.chunk);
  TokenBatch batch;
  for (RowSpace* space : {&batch.tokens, &batch.examples, &batch.asked_tokens})
    space->example_offsets = space->chunk_offsets = {0};
  auto count = static_cast<int64_t>(sequences.size());
  batch.tokens.map = common_size(sequences);
  if (batch.tokens.map.places() > 0 && !place.reads_pixels) batch.tokens.map = {1, 1};
  if (batch.tokens.map.places() > 0 && place.reads_pixels)
    batch.pixels = read_pixels(sequences, batch.tokens.map);
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
    for (int32_t t = 0; t < static_cast<int32_t>(batch.tokens.map.places()); ++t) {
      batch.tokens.example_place.push_back(example_place);
      batch.tokens.token_position.push_back(t);
    }
    for (int32_t t : sequence.asked) {
      batch.asked.push_back(batch.tokens.example_offsets.back() + t);
      batch.asked_tokens.example_place.push_back(example_place);
      batch.asked_tokens.token_position.push_back(t);
    }
    batch.tokens.example_offsets.push_back(static_cast<int64_t>(batch.tokens.example_place.size()));
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
