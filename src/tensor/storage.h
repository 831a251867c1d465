// Where the bytes of a tensor live: owned heap memory, a memory resource (an arena), or borrowed
// bytes kept alive by their owner (a mapped file). Alignment of owned bytes is 64.
#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>

namespace inlay {

class Storage {
 public:
  // `bytes` uninitialised bytes from `resource`, which must outlive every handle.
  static std::shared_ptr<Storage> allocate(std::size_t bytes, std::pmr::memory_resource* resource);
  // Read-only bytes that `owner` keeps alive.
  static std::shared_ptr<Storage> borrow(std::span<const std::byte> bytes,
                                         std::shared_ptr<const void> owner);

  // Use the factories; public only for std::allocate_shared.
  Storage(std::byte* data, std::size_t bytes, std::pmr::memory_resource* resource,
          std::shared_ptr<const void> owner);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  bool writable() const { return resource_ != nullptr; }

 private:
  std::byte* data_;
  std::size_t bytes_;
  std::pmr::memory_resource* resource_;  // null for borrowed bytes
  std::shared_ptr<const void> owner_;
};

}  // namespace inlay
