#include "tensor/tensor.h"

#include <cstring>
#include <utility>

#include "tensor/kernels/convert.h"

namespace inlay {

Tensor Tensor::empty(const Shape& shape, DType dtype, std::pmr::memory_resource* resource) {
  Tensor tensor;
  std::size_t bytes = static_cast<std::size_t>(shape.count());
  require(!__builtin_mul_overflow(bytes, dtype_size(dtype), &bytes), ErrorKind::kInput,
          "a {} tensor of shape {} does not fit in memory", dtype_name(dtype), shape.text());
  tensor.storage_ = Storage::allocate(bytes, resource);
  tensor.shape_ = shape;
  tensor.dtype_ = dtype;
  return tensor;
}

Tensor Tensor::empty_rows(const Shape& shape, DType dtype, int64_t unit,
                          std::pmr::memory_resource* resource) {
  ensure(shape.rank() == 2, "rows of shape {}", shape.text());
  Tensor tensor = empty({(shape[0] + unit - 1) / unit * unit, shape[1]}, dtype, resource);
  tensor.spare_rows_ = tensor.dim(0) - shape[0];
  tensor.shape_ = shape;
  return tensor;
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, std::pmr::memory_resource* resource) {
  Tensor tensor = empty(shape, dtype, resource);
  std::memset(tensor.mutable_raw(), 0, tensor.byte_count());
  return tensor;
}

Tensor Tensor::borrow(const Shape& shape, DType dtype, std::span<const std::byte> bytes,
                      std::shared_ptr<const void> owner) {
  Tensor tensor;
  tensor.storage_ = Storage::borrow(bytes, std::move(owner));
  tensor.shape_ = shape;
  tensor.dtype_ = dtype;
  ensure(tensor.byte_count() <= bytes.size(), "{} bytes for a {} tensor of shape {}", bytes.size(),
         dtype_name(dtype), shape.text());
  ensure(reinterpret_cast<std::uintptr_t>(bytes.data()) % dtype_size(dtype) == 0,
         "unaligned bytes for a tensor");
  return tensor;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  ensure(shape.count() == count(), "shape {} cannot be seen as {}", shape_.text(), shape.text());
  Tensor tensor = *this;
  tensor.shape_ = shape;
  tensor.spare_rows_ = 0;
  return tensor;
}

Tensor Tensor::rows(int64_t first, int64_t last) const {
  ensure(shape_.rank() > 0 && 0 <= first && first <= last && last <= dim(0),
         "rows [{}, {}) of shape {}", first, last, shape_.text());
  std::array<int64_t, Shape::kMaxRank> sizes{};
  std::copy(shape_.sizes().begin(), shape_.sizes().end(), sizes.begin());
  int64_t row = dim(0) > 0 ? count() / dim(0) : 0;
  sizes[0] = last - first;
  Tensor tensor = *this;
  tensor.shape_ =
      Shape(std::span<const int64_t>(sizes.data(), static_cast<std::size_t>(shape_.rank())));
  tensor.spare_rows_ = 0;
  tensor.offset_ += static_cast<std::size_t>(first * row) * dtype_size(dtype_);
  return tensor;
}

Tensor Tensor::to(DType dtype, std::pmr::memory_resource* resource) const {
  Tensor result = spare_rows_ > 0 ? empty_rows(shape_, dtype, dim(0) + spare_rows_, resource)
                                  : empty(shape_, dtype, resource);
  if (dtype == dtype_) {
    std::memcpy(result.mutable_raw(), raw(), byte_count());
  } else {
    require(is_floating(dtype) && is_floating(dtype_), ErrorKind::kInput,
            "cannot convert a {} tensor to {}", dtype_name(dtype_), dtype_name(dtype));
    kernels::convert(raw(), dtype_, result.mutable_raw(), dtype, count());
  }
  return result;
}

Tensor Tensor::clone(std::pmr::memory_resource* resource) const { return to(dtype_, resource); }

}  // namespace inlay
