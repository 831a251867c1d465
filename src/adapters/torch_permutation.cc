#include "adapters/torch_permutation.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace inlay {

std::vector<int64_t> torch_permutation(int64_t total, int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<int64_t> numbers(static_cast<std::size_t>(total));
  std::iota(numbers.begin(), numbers.end(), 0);
  for (int64_t i = 0; i < std::min(count, total - 1); ++i) {
    auto other = static_cast<int64_t>(generator() % static_cast<uint64_t>(total - i));
    std::swap(numbers[static_cast<std::size_t>(i)], numbers[static_cast<std::size_t>(i + other)]);
  }
  numbers.resize(static_cast<std::size_t>(count));
  return numbers;
}

}  // namespace inlay
