#include "autograd/gradient_tree.h"

#include <bit>

#include "autograd/gradient_check.h"

namespace inlay {
namespace {

constexpr int64_t kChannels = 5;

Tensor leaf(int64_t chunk) {
  Tensor tensor = Tensor::empty({kChannels}, DType::kF32);
  Stream stream(7, "leaf/" + std::to_string(chunk));
  for (uint64_t c = 0; c < kChannels; ++c) tensor.mutable_data<float>()[c] = stream.normal(c);
  return tensor;
}

// The definition, without carries: subtrees of powers of two, the largest first, each split into
// halves.
float perfect_sum(int64_t first, int64_t count, int64_t channel) {
  if (count == 1) return leaf(first).data<float>()[channel];
  return perfect_sum(first, count / 2, channel) +
         perfect_sum(first + count / 2, count / 2, channel);
}
float tree_sum(int64_t count, int64_t channel) {
  auto largest = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(count)));
  float total = perfect_sum(0, largest, channel);
  for (int64_t first = largest; first < count; first += largest) {
    largest = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(count - first)));
    total += perfect_sum(first, largest, channel);
  }
  return total;
}

TEST(GradientTree, AddsOneToSeventeenLeavesAsItsPictureShows) {
  GradientTree tree;
  for (int64_t count = 1; count <= 17; ++count) {
    for (int64_t chunk = 0; chunk < count; ++chunk) tree.push(leaf(chunk));
    Tensor total = tree.take_total();
    EXPECT_TRUE(tree.empty());
    for (int64_t c = 0; c < kChannels; ++c)
      EXPECT_EQ(total.data<float>()[c], tree_sum(count, c)) << count;
  }
}

// So the order is worth a test: one leaf after another gives other bits.
TEST(GradientTree, RoundsOtherwiseThanARunningSum) {
  int64_t differences = 0;
  for (int64_t c = 0; c < kChannels; ++c) {
    float running = 0;
    for (int64_t chunk = 0; chunk < 17; ++chunk) running += leaf(chunk).data<float>()[c];
    differences += running != tree_sum(17, c);
  }
  EXPECT_GT(differences, 0);
}

TEST(GradientTree, KeepsALogarithmOfItsLeaves) {
  Arena arena;
  GradientTree tree;
  for (int64_t chunk = 0; chunk < 63; ++chunk) tree.push(leaf(chunk).clone(&arena));
  std::size_t six = arena.bytes_in_use();
  tree.push(leaf(63).clone(&arena));
  EXPECT_EQ(arena.bytes_in_use() * 6, six);
  tree.take_total();
  EXPECT_EQ(arena.bytes_in_use(), 0u);
}

}  // namespace
}  // namespace inlay
