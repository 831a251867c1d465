#include "tensor/storage.h"

#include <utility>

namespace inlay {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

std::shared_ptr<Storage> Storage::allocate(std::size_t bytes, std::pmr::memory_resource* resource) {
  auto* data = static_cast<std::byte*>(resource->allocate(bytes, kAlignment));
  return std::allocate_shared<Storage>(std::pmr::polymorphic_allocator<Storage>(resource), data,
                                       bytes, resource, nullptr);
}

std::shared_ptr<Storage> Storage::borrow(std::span<const std::byte> bytes,
                                         std::shared_ptr<const void> owner) {
  return std::make_shared<Storage>(const_cast<std::byte*>(bytes.data()), bytes.size(), nullptr,
                                   std::move(owner));
}

Storage::Storage(std::byte* data, std::size_t bytes, std::pmr::memory_resource* resource,
                 std::shared_ptr<const void> owner)
    : data_(data), bytes_(bytes), resource_(resource), owner_(std::move(owner)) {}

Storage::~Storage() {
  if (resource_ != nullptr) resource_->deallocate(data_, bytes_, kAlignment);
}

}  // namespace inlay
