#include "base/random.h"

#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "base/hash.h"

namespace inlay {

PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Stream::Stream(uint64_t seed, std::string_view name) {
  Digest digest = sha256(std::to_string(seed) + "/" + std::string(name));
  std::memcpy(key_.data(), digest.data(), sizeof(key_));
}

namespace {

PhiloxCounter block(PhiloxKey key, uint64_t element, uint32_t lane) {
  return philox4x32({static_cast<uint32_t>(element), static_cast<uint32_t>(element >> 32), lane, 0},
                    key);
}

}  // namespace

float Stream::uniform(uint64_t element) const { return unit_float(block(key_, element, 0)[0]); }

float Stream::normal(uint64_t element) const {
  PhiloxCounter bits = block(key_, element, 1);
  double u = (static_cast<double>(bits[0]) + 1.0) * 0x1p-32;  // (0, 1]: the logarithm is finite
  double angle = 2.0 * M_PI * static_cast<double>(bits[1]) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(angle));
}

uint64_t Stream::below(uint64_t bound, uint64_t element) const {
  // Draws above the largest multiple of the bound are rejected, so every value is equally likely.
  uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (uint32_t lane = 2;; ++lane) {
    PhiloxCounter bits = block(key_, element, lane);
    uint64_t draw = (uint64_t{bits[1]} << 32) | bits[0];
    if (draw < limit) return draw % bound;
  }
}

std::vector<std::size_t> shuffled(std::size_t n, const Stream& stream) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[stream.below(i, i)]);
  return order;
}

}  // namespace inlay
