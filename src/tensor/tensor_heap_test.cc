#include "tensor/tensor_heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "base/process.h"
#include "tensor/tensor.h"

namespace inlay {
namespace {

constexpr std::size_t kLarge = std::size_t{8} << 20;

TEST(TensorHeap, AlignsBlocksOfEverySize) {
  for (std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{65535}, kLarge}) {
    void* block = tensor_heap()->allocate(bytes, 64);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u) << bytes;
    std::memset(block, 1, bytes);
    tensor_heap()->deallocate(block, bytes, 64);
  }
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(TensorHeap, GivesAFreedBlockToTheNextOfItsSize) {
  trim_tensor_heap();
  void* first = tensor_heap()->allocate(kLarge, 64);
  tensor_heap()->deallocate(first, kLarge, 64);
  void* second = tensor_heap()->allocate(kLarge, 64);
  EXPECT_EQ(first, second);
  tensor_heap()->deallocate(second, kLarge, 64);
}

TEST(TensorHeap, TrimReturnsWhatIsKept) {
  trim_tensor_heap();
  uint64_t before = current_rss_bytes();
  Tensor::zeros({static_cast<int64_t>(kLarge / 4)}, DType::kF32);
  EXPECT_GE(current_rss_bytes(), before + kLarge / 2);
  trim_tensor_heap();
  EXPECT_LT(current_rss_bytes(), before + kLarge / 2);
}
#endif

TEST(TensorHeap, ServesSeveralThreads) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) {
        Tensor tensor = Tensor::zeros({20000 + 5000 * (i % 3)}, DType::kF32);
        tensor.mutable_data<float>()[i] = static_cast<float>(t);
        EXPECT_EQ(tensor.data<float>()[i], static_cast<float>(t));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace inlay
