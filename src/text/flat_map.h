// A hash table from 64-bit keys to small values in one block of memory, for look-ups by the
// million. Never iterated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace inlay::text {

template <class Value>
class FlatMap {
 public:
  // The key that cannot be stored.
  static constexpr uint64_t kNoKey = ~uint64_t{0};

  const Value* find(uint64_t key) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = home(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return &slots_[i].value;
      if (slots_[i].key == kNoKey) return nullptr;
    }
  }

  // The value stored under `key`, a new one if there was none. Valid until the next call.
  Value& operator[](uint64_t key) {
    if ((used_ + 1) * 3 > slots_.size() * 2) grow();
    Slot& slot = slot_for(key);
    if (slot.key == kNoKey) {
      slot.key = key;
      ++used_;
    }
    return slot.value;
  }

  std::size_t size() const { return used_; }

 private:
  struct Slot {
    uint64_t key = kNoKey;
    Value value{};
  };

  std::size_t home(uint64_t key) const {
    uint64_t hash = key * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    return static_cast<std::size_t>(hash * 0xD6E8FEB86659FD93u >> 20) & (slots_.size() - 1);
  }

  Slot& slot_for(uint64_t key) {
    std::size_t i = home(key);
    while (slots_[i].key != key && slots_[i].key != kNoKey) i = (i + 1) & (slots_.size() - 1);
    return slots_[i];
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key != kNoKey) slot_for(slot.key) = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, at most two thirds used
  std::size_t used_ = 0;
};

}  // namespace inlay::text
