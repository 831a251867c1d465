// The memory of one execution context: activations, gradients, tape nodes and scratch all come from
// here and go back at their last use, so a step in steady state asks the system for nothing.
//
//   Arena arena;
//   Tensor x = Tensor::empty({tokens, channels}, DType::kF32, &arena);
//
// One address range is reserved at the start and touched from the bottom up; a block is found by
// best fit among the free blocks (lowest address on ties, so addresses repeat from run to run) and
// neighbours are joined when freed. Not for several threads at once: kernels get their scratch
// before they go parallel.
#pragma once

#include <cstddef>
#include <memory_resource>

namespace inlay {

class Arena : public std::pmr::memory_resource {
 public:
  Arena();
  ~Arena() override;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  std::size_t bytes_in_use() const { return in_use_; }
  // The most that was ever in use, and how far the range was ever touched (fragmentation is the
  // difference).
  std::size_t peak_bytes() const { return peak_; }
  std::size_t touched_bytes() const { return touched_; }

 private:
  struct Block;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* pointer, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  Block* find_free(std::size_t size) const;
  Block* extend(std::size_t size);
  void split(Block* block, std::size_t size);
  void link(Block* block);
  void unlink(Block* block);
  Block* next(Block* block) const;
  Block* previous(Block* block) const;

  std::byte* base_ = nullptr;
  std::size_t reserved_ = 0;
  std::size_t top_ = 0;        // bytes of the range that hold blocks
  std::size_t last_size_ = 0;  // size of the block that ends at top_, 0 when there is none
  std::size_t touched_ = 0;
  std::size_t in_use_ = 0;
  std::size_t peak_ = 0;
  Block* free_ = nullptr;
};

}  // namespace inlay
