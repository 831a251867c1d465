// Keys and values of the tokens that a decoder has read, so that what follows them is computed
// alone. One per run of generation; the sequences of a batch have lengths of their own.
//
//   KeyValueCache cache(model.facts().layers, sequences);
//   Variable hidden = model.continue_from(context, prompts, cache);     // all tokens of the
//   prompts hidden = model.continue_from(context, next_tokens, cache);          // one more of each
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace inlay {

class KeyValueCache {
 public:
  KeyValueCache(int64_t layers, int64_t sequences)
      : layers_(static_cast<std::size_t>(layers), std::vector<Rows>(sequence_count(sequences))),
        counted_(sequence_count(sequences)) {}

  int64_t sequences() const { return static_cast<int64_t>(layers_.front().size()); }
  bool empty() const { return layers_.front().empty() || layers_.back().front().count == 0; }
  // Rows of each sequence that every layer has, virtual tokens among them.
  std::vector<int64_t> lengths() const;

  // Adds rows (n, channels) of a sequence at a layer; room grows by doubling.
  void append(int layer, int64_t sequence, const Tensor& key, const Tensor& value);
  // All rows of a sequence at a layer, (length, channels), in memory that later rows may take.
  Tensor keys(int layer, int64_t sequence) const { return taken(layer, sequence).first; }
  Tensor values(int layer, int64_t sequence) const { return taken(layer, sequence).second; }

  // Rows of each sequence that a table of positions has counted; those of prompts that are set
  // behind it are not among them.
  const std::vector<int64_t>& counted() const { return counted_; }
  void count(int64_t sequence, int64_t rows) {
    counted_[static_cast<std::size_t>(sequence)] += rows;
  }

  // Leaves these sequences alone, in this order.
  void keep(const std::vector<int64_t>& sequences);

 private:
  struct Rows {
    Tensor key, value;  // (room, channels)
    int64_t count = 0;
  };
  static std::size_t sequence_count(int64_t count) { return static_cast<std::size_t>(count); }
  const Rows& rows(int layer, int64_t sequence) const {
    return layers_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(sequence)];
  }
  std::pair<Tensor, Tensor> taken(int layer, int64_t sequence) const;

  std::vector<std::vector<Rows>> layers_;
  std::vector<int64_t> counted_;
};

}  // namespace inlay
