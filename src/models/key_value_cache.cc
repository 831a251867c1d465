#include "models/key_value_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

constexpr int64_t kLeastRoom = 64;

// `rows` behind the first `count` of `held`, which is made larger where it has no room.
void add_rows(Tensor& held, int64_t count, const Tensor& rows) {
  int64_t wanted = count + rows.dim(0);
  int64_t room = held.defined() ? held.dim(0) : 0;
  if (room < wanted) {
    Tensor larger =
        Tensor::empty({std::max({kLeastRoom, 2 * room, wanted}), rows.dim(1)}, rows.dtype());
    if (count > 0) std::memcpy(larger.mutable_raw(), held.raw(), held.rows(0, count).byte_count());
    held = std::move(larger);
  }
  Tensor place = held.rows(count, wanted);
  std::memcpy(place.mutable_raw(), rows.raw(), place.byte_count());
}

}  // namespace

std::vector<int64_t> KeyValueCache::lengths() const {
  std::vector<int64_t> lengths;
  lengths.reserve(layers_.back().size());
  for (const Rows& rows : layers_.back()) lengths.push_back(rows.count);
  return lengths;
}

void KeyValueCache::append(int layer, int64_t sequence, const Tensor& key, const Tensor& value) {
  Rows& own = layers_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(sequence)];
  add_rows(own.key, own.count, key);
  add_rows(own.value, own.count, value);
  own.count += key.dim(0);
}

std::pair<Tensor, Tensor> KeyValueCache::taken(int layer, int64_t sequence) const {
  const Rows& own = rows(layer, sequence);
  return {own.key.rows(0, own.count), own.value.rows(0, own.count)};
}

void KeyValueCache::keep(const std::vector<int64_t>& sequences) {
  std::vector<int64_t> counted;
  counted.reserve(sequences.size());
  for (int64_t sequence : sequences)
    counted.push_back(counted_[static_cast<std::size_t>(sequence)]);
  counted_ = std::move(counted);
  for (std::vector<Rows>& layer : layers_) {
    std::vector<Rows> kept;
    kept.reserve(sequences.size());
    for (int64_t sequence : sequences) {
      ensure(sequence >= 0 && sequence < static_cast<int64_t>(layer.size()),
             "sequence {} of {} in a cache", sequence, layer.size());
      kept.push_back(layer[static_cast<std::size_t>(sequence)]);
    }
    layer = std::move(kept);
  }
}

}  // namespace inlay
