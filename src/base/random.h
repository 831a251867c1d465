// Counter-based random numbers: a number is a pure function of (seed, stream name, counter), so the
// order of calls, the thread count and the micro-batch split cannot change it. Philox4x32-10,
// Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
//
//   Stream stream(seed, "init/encoder.layer.3.query.lora_A");
//   float u = stream.uniform(element);
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace inlay {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

// Ten rounds; the published test vectors are in random_test.cc.
PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key);

// 24 random bits as a float in [0, 1).
inline float unit_float(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// One named sequence of numbers, indexed by element. Cheap to copy; has no state that moves.
class Stream {
 public:
  Stream(uint64_t seed, std::string_view name);

  PhiloxKey key() const { return key_; }
  float uniform(uint64_t element) const;  // [0, 1)
  float normal(uint64_t element) const;   // mean 0, variance 1 (Box-Muller)
  // [0, bound) without bias; REQUIRES: bound > 0.
  uint64_t below(uint64_t bound, uint64_t element) const;

 private:
  PhiloxKey key_;
};

// A permutation of 0..n-1 by seeded Fisher-Yates.
std::vector<std::size_t> shuffled(std::size_t n, const Stream& stream);

}  // namespace inlay
