#include "tensor/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace inlay {
namespace {

constexpr std::size_t kUnit = 64;  // alignment of every payload, and the size of a header
constexpr std::size_t kHeaderPer = std::size_t{1}
                                   << 16;  // payload bytes for which a header's room is kept
constexpr std::size_t kFirstReserve = std::size_t{1} << 40;
constexpr std::size_t kLeastReserve = std::size_t{1} << 28;

// Under AddressSanitizer a freed block is poisoned, so a use after the last use is caught.
void poison([[maybe_unused]] void* pointer, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(pointer, bytes);
#endif
}
void unpoison([[maybe_unused]] void* pointer, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(pointer, bytes);
#endif
}

// Header and payload. Room for a header is kept for every kHeaderPer bytes: a freed block then
// holds two of half its payload, as bf16 tensors that come after an f32 one want, and not one and a
// gap that is a header short.
std::size_t block_size(std::size_t bytes) {
  std::size_t headers = std::max<std::size_t>(1, (bytes + kHeaderPer - 1) / kHeaderPer);
  return (std::max<std::size_t>(bytes, 1) + kUnit - 1) / kUnit * kUnit + headers * kUnit;
}

}  // namespace

// One header stands before each payload; `size` counts header and payload.
struct alignas(kUnit) Arena::Block {
  std::size_t size;
  std::size_t previous_size;  // of the block just below, 0 for the first
  Block* next_free;
  Block* previous_free;
  bool free;

  std::byte* payload() { return reinterpret_cast<std::byte*>(this) + sizeof(Block); }
};

Arena::Arena() {
  static_assert(sizeof(Block) == kUnit);
  void* range = MAP_FAILED;
  for (reserved_ = kFirstReserve; reserved_ >= kLeastReserve; reserved_ /= 2) {
    range = ::mmap(nullptr, reserved_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range != MAP_FAILED) break;
  }
  require(range != MAP_FAILED, ErrorKind::kIo, "cannot reserve {} bytes of address space",
          kLeastReserve);
  base_ = static_cast<std::byte*>(range);
}

Arena::~Arena() {
  unpoison(base_, top_);
  ::munmap(base_, reserved_);
}

void* Arena::do_allocate(std::size_t bytes, std::size_t alignment) {
  ensure(alignment <= kUnit, "an alignment of {} was asked of an arena that gives {}", alignment,
         kUnit);
  std::size_t size = block_size(bytes);
  Block* block = find_free(size);
  if (block != nullptr) {
    unlink(block);
    split(block, size);
  } else {
    block = extend(size);
  }
  block->free = false;
  unpoison(block->payload(), block->size - sizeof(Block));
  in_use_ += block->size;
  peak_ = std::max(peak_, in_use_);
  return block->payload();
}

void Arena::do_deallocate(void* pointer, std::size_t, std::size_t) {
  auto* block = reinterpret_cast<Block*>(static_cast<std::byte*>(pointer) - sizeof(Block));
  in_use_ -= block->size;
  poison(block->payload(), block->size - sizeof(Block));
  Block* above = next(block);
  if (above != nullptr && above->free) {
    unlink(above);
    block->size += above->size;
  }
  Block* below = previous(block);
  if (below != nullptr && below->free) {
    unlink(below);
    below->size += block->size;
    block = below;
  }
  above = next(block);
  if (above == nullptr) {  // the topmost block: the range shrinks
    top_ -= block->size;
    last_size_ = block->previous_size;
    return;
  }
  above->previous_size = block->size;
  link(block);
}

Arena::Block* Arena::find_free(std::size_t size) const {
  Block* best = nullptr;
  for (Block* block = free_; block != nullptr; block = block->next_free) {
    if (block->size < size) continue;
    if (best == nullptr || block->size < best->size || (block->size == best->size && block < best))
      best = block;
  }
  return best;
}

Arena::Block* Arena::extend(std::size_t size) {
  require(size <= reserved_ - top_, ErrorKind::kIo,
          "out of memory: {} more bytes are needed, {} are in use", size, in_use_);
  unpoison(base_ + top_, sizeof(Block));
  auto* block = new (base_ + top_) Block{size, last_size_, nullptr, nullptr, false};
  last_size_ = size;
  top_ += size;
  touched_ = std::max(touched_, top_);
  return block;
}

void Arena::split(Block* block, std::size_t size) {
  if (block->size - size < 4 * kUnit) return;
  unpoison(reinterpret_cast<std::byte*>(block) + size, sizeof(Block));
  auto* rest = new (reinterpret_cast<std::byte*>(block) + size)
      Block{block->size - size, size, nullptr, nullptr, true};
  block->size = size;
  next(rest)->previous_size = rest->size;  // a free block is never the topmost
  link(rest);
}

void Arena::link(Block* block) {
  block->free = true;
  block->previous_free = nullptr;
  block->next_free = free_;
  if (free_ != nullptr) free_->previous_free = block;
  free_ = block;
}

void Arena::unlink(Block* block) {
  if (block->previous_free != nullptr) block->previous_free->next_free = block->next_free;
  if (block->next_free != nullptr) block->next_free->previous_free = block->previous_free;
  if (free_ == block) free_ = block->next_free;
}

Arena::Block* Arena::next(Block* block) const {
  std::byte* end = reinterpret_cast<std::byte*>(block) + block->size;
  return end == base_ + top_ ? nullptr : reinterpret_cast<Block*>(end);
}

Arena::Block* Arena::previous(Block* block) const {
  if (block->previous_size == 0) return nullptr;
  return reinterpret_cast<Block*>(reinterpret_cast<std::byte*>(block) - block->previous_size);
}

}  // namespace inlay
