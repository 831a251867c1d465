#include "tensor/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/random.h"
#include "tensor/tensor.h"

namespace inlay {
namespace {

TEST(Arena, GivesBackEverythingAndReusesIt) {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    Tensor a = Tensor::empty({100, 100}, DType::kF32, &arena);
    Tensor b = Tensor::empty({50}, DType::kF32, &arena);
    EXPECT_GE(arena.bytes_in_use(), 40000u);
  }
  EXPECT_EQ(arena.bytes_in_use(), 0u);
  EXPECT_LT(arena.touched_bytes(), 50000u);
}

TEST(Arena, BlocksNeverOverlapUnderRandomUse) {
  Arena arena;
  struct Held {
    unsigned char* data;
    std::size_t size;
    unsigned char mark;
  };
  std::vector<Held> held;
  Stream stream(1, "arena");
  for (uint64_t i = 0; i < 20000; ++i) {
    if (!held.empty() && stream.uniform(3 * i) < 0.5f) {
      std::size_t pick = stream.below(held.size(), 3 * i + 1);
      Held block = held[pick];
      for (std::size_t j = 0; j < block.size; ++j) ASSERT_EQ(block.data[j], block.mark);
      arena.deallocate(block.data, block.size, 64);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(pick));
    } else {
      std::size_t size = 1 + stream.below(5000, 3 * i + 2);
      auto* data = static_cast<unsigned char*>(arena.allocate(size, 64));
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u);
      std::memset(data, static_cast<int>(i & 0xff), size);
      held.push_back({data, size, static_cast<unsigned char>(i & 0xff)});
    }
  }
  for (const Held& block : held) arena.deallocate(block.data, block.size, 64);
  EXPECT_EQ(arena.bytes_in_use(), 0u);
}

TEST(Arena, TwoHalvesFitWhereAWholeWas) {
  Arena arena;
  constexpr std::size_t kBytes = std::size_t{3} << 19;
  void* whole = arena.allocate(kBytes, 64);
  void* above = arena.allocate(64, 64);
  std::size_t touched = arena.touched_bytes();
  arena.deallocate(whole, kBytes, 64);
  void* left = arena.allocate(kBytes / 2, 64);
  void* right = arena.allocate(kBytes / 2, 64);
  EXPECT_EQ(arena.touched_bytes(), touched);
  for (void* half : {left, right}) arena.deallocate(half, kBytes / 2, 64);
  arena.deallocate(above, 64, 64);
}

TEST(Tensor, HasRoomBehindItsRowsAndItsViewsHaveNone) {
  Arena arena;
  Tensor a = Tensor::empty_rows({65, 8}, DType::kF32, 64, &arena);
  EXPECT_EQ(a.shape(), (Shape{65, 8}));
  EXPECT_EQ(a.spare_rows(), 63);
  EXPECT_EQ(a.to(DType::kBF16, &arena).spare_rows(), 63);
  EXPECT_EQ(a.rows(1, 65).spare_rows(), 0);
  EXPECT_EQ(a.reshaped({8, 65}).spare_rows(), 0);
  EXPECT_EQ(Tensor::empty_rows({128, 8}, DType::kF32, 64, &arena).spare_rows(), 0);
}

TEST(Tensor, KnowsWhenItsStorageIsShared) {
  Tensor a = Tensor::zeros({4}, DType::kF32);
  EXPECT_TRUE(a.unshared());
  Tensor b = a.reshaped({2, 2});
  EXPECT_FALSE(a.unshared());
}

TEST(Tensor, RowsSeeTheSameElements) {
  Tensor a = Tensor::of<float>({3, 2}, std::vector<float>{0, 1, 2, 3, 4, 5});
  EXPECT_EQ(a.rows(1, 3).data<float>()[0], 2.0f);
  EXPECT_EQ(a.rows(1, 3).shape(), (Shape{2, 2}));
}

TEST(DType, HalfTypesRoundToNearestEven) {
  EXPECT_EQ(BFloat16(1.00390625f).bits, 0x3f80);  // exactly halfway: to even
  EXPECT_EQ(BFloat16(1.01171875f).bits, 0x3f82);
  for (uint32_t bits = 0; bits < 0x7c00u; ++bits) {
    Float16 half;
    half.bits = static_cast<uint16_t>(bits);
    ASSERT_EQ(Float16(static_cast<float>(half)).bits, bits);
  }
  EXPECT_EQ(Float16(70000.0f).bits, 0x7c00);
}

}  // namespace
}  // namespace inlay
