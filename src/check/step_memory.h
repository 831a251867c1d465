// What a step of training takes in each memory mode, as a few tokens show it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "adapters/adapter.h"
#include "nn/memory_mode.h"
#include "tensor/quantised/block_format.h"

namespace inlay {

// Of activations and scratch, which grow with the tokens of a micro-batch.
struct StepMemory {
  int64_t tokens = 0;  // of the probe
  uint64_t bytes = 0;  // of the probe
  double bytes_per_token = 0;

  uint64_t at(int64_t wanted) const {
    double more = bytes_per_token * static_cast<double>(wanted - tokens);
    return wanted > tokens ? bytes + static_cast<uint64_t>(more) : bytes;
  }
};

// What packing frozen matrices for both directions adds, and what stays of their files' pages where
// they are not packed.
struct WeightMemory {
  uint64_t packed = 0, stored = 0;
};
// Of a base's linear layers, but those that are quantised and those that `hooks` (null: none) put
// tensors of their own in the place of.
WeightMemory layer_memory(const BaseFacts& base, SiteHooks* hooks, DType compute);
// Of a language model's output projection, its own or the word table.
WeightMemory projection_memory(const BaseFacts& base, DType compute);

// What a base's linear layers take in a format, those whose rows are no whole blocks as they are.
uint64_t quantised_bytes(const BaseFacts& base, BlockFormat format);

// Of embedding tables, whose pages come in as their tokens do: a few in a probe, nearly all in an
// epoch.
uint64_t table_bytes(const BaseFacts& base);

// What runs took beside all this, 3 to 11 MB with MiniLM: they compile kernels for batches of many
// lengths, where a probe has two, and keep what evaluation gives.
inline constexpr uint64_t kFurtherBytes = 6u << 20;

// What a run in `mode` keeps beside activations, in the process that has `fixed` after a trial in
// `measured`. What the trial packed stays.
inline uint64_t fixed_in(MemoryMode mode, MemoryMode measured, uint64_t fixed,
                         const WeightMemory& weights) {
  onednn::Reading reading = step_way(mode).weights;
  if (reading == step_way(measured).weights) return fixed;
  if (reading == onednn::Reading::kStored) return fixed + weights.stored;
  return fixed - std::min(fixed, weights.stored) + weights.packed;
}

}  // namespace inlay
