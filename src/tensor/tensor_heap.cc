#include "tensor/tensor_heap.h"

#include <malloc.h>
#include <sys/mman.h>

#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace inlay {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLarge = std::size_t{1} << 16;      // smaller blocks are the C library's
constexpr std::size_t kMostKept = std::size_t{32} << 20;  // bytes of freed blocks

class TensorHeap : public std::pmr::memory_resource {
 public:
  void trim() {
    std::lock_guard<std::mutex> guard(lock_);
    for (auto& [size, blocks] : kept_) {
      for (void* block : blocks) ::munmap(block, size);
    }
    kept_.clear();
    kept_bytes_ = 0;
  }

 private:
  // AddressSanitizer watches the C library's blocks better than these.
#if defined(__SANITIZE_ADDRESS__)
  static bool maps(std::size_t) { return false; }
#else
  static bool maps(std::size_t bytes) { return bytes >= kLarge; }
#endif
  static std::size_t whole_pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (!maps(bytes)) return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    std::size_t size = whole_pages(bytes);
    {
      std::lock_guard<std::mutex> guard(lock_);
      auto found = kept_.find(size);
      if (found != kept_.end() && !found->second.empty()) {
        kept_bytes_ -= size;
        void* block = found->second.back();
        found->second.pop_back();
        return block;
      }
    }
    void* block = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) throw std::bad_alloc();
    return block;
  }

  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    if (!maps(bytes)) {
      std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
      return;
    }
    std::size_t size = whole_pages(bytes);
    {
      std::lock_guard<std::mutex> guard(lock_);
      if (kept_bytes_ + size <= kMostKept) {
        kept_[size].push_back(block);
        kept_bytes_ += size;
        return;
      }
    }
    ::munmap(block, size);
  }

  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::mutex lock_;
  std::map<std::size_t, std::vector<void*>> kept_;  // by size
  std::size_t kept_bytes_ = 0;
};

TensorHeap& heap() {
  static auto* const one = new TensorHeap;  // outlives every static tensor
  return *one;
}

}  // namespace

std::pmr::memory_resource* tensor_heap() { return &heap(); }

void trim_tensor_heap() {
  heap().trim();
  ::malloc_trim(0);
}

}  // namespace inlay
