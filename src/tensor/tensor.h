// A cheap handle on contiguous, row-major elements: copying a Tensor shares its storage. No
// gradients here.
//
//   Tensor x = Tensor::empty({tokens, channels}, DType::kF32, arena);
//   float* row = x.mutable_data<float>() + t * channels;
#pragma once

#include <memory>
#include <memory_resource>
#include <span>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "tensor/storage.h"
#include "tensor/tensor_heap.h"

namespace inlay {

class Tensor {
 public:
  Tensor() = default;  // no storage; defined() is false

  // Uninitialised elements from `resource`, which must outlive every handle that shares them.
  static Tensor empty(const Shape& shape, DType dtype,
                      std::pmr::memory_resource* resource = tensor_heap());
  // The same for a matrix, with room behind its last row up to the next multiple of `unit` rows.
  // Whoever holds the tensor may write anything there; nobody may take it for a value.
  static Tensor empty_rows(const Shape& shape, DType dtype, int64_t unit,
                           std::pmr::memory_resource* resource);
  static Tensor zeros(const Shape& shape, DType dtype,
                      std::pmr::memory_resource* resource = tensor_heap());
  // Read-only elements in bytes that `owner` keeps alive. REQUIRES: enough bytes, aligned for the
  // dtype.
  static Tensor borrow(const Shape& shape, DType dtype, std::span<const std::byte> bytes,
                       std::shared_ptr<const void> owner);
  // A copy of host values.
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    Tensor tensor = empty(shape, dtype_of<T>());
    ensure(static_cast<int64_t>(values.size()) == shape.count(), "{} values for shape {}",
           values.size(), shape.text());
    std::copy(values.begin(), values.end(), tensor.mutable_data<T>());
    return tensor;
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t dim(int axis) const { return shape_[axis]; }
  int64_t count() const { return shape_.count(); }
  DType dtype() const { return dtype_; }
  std::size_t byte_count() const { return static_cast<std::size_t>(count()) * dtype_size(dtype_); }
  // Rows of room behind the last one; a view of other rows or of another shape has none.
  int64_t spare_rows() const { return spare_rows_; }
  bool writable() const { return storage_ != nullptr && storage_->writable(); }
  // True when no other handle shares the storage, so that an op may reuse it for its result.
  bool unshared() const { return storage_.use_count() == 1 && storage_->writable(); }

  const std::byte* raw() const { return storage_->data() + offset_; }
  std::byte* mutable_raw() const {
    ensure(writable(), "a write to a read-only tensor");
    return storage_->data() + offset_;
  }
  std::span<const std::byte> bytes() const { return {raw(), byte_count()}; }

  template <class T>
  const T* data() const {
    check_dtype(dtype_of<T>());
    return reinterpret_cast<const T*>(raw());
  }
  template <class T>
  T* mutable_data() const {
    check_dtype(dtype_of<T>());
    return reinterpret_cast<T*>(mutable_raw());
  }

  // The same storage under another shape of equal count, or rows [first, last) of the outermost
  // dimension.
  Tensor reshaped(const Shape& shape) const;
  Tensor rows(int64_t first, int64_t last) const;

  // A copy of the elements as another dtype (floating types only, or equal types); kInput
  // otherwise.
  Tensor to(DType dtype, std::pmr::memory_resource* resource = tensor_heap()) const;
  Tensor clone(std::pmr::memory_resource* resource = tensor_heap()) const;

 private:
  void check_dtype(DType wanted) const {
    ensure(dtype_ == wanted && defined(), "a {} tensor was read as {}", dtype_name(dtype_),
           dtype_name(wanted));
  }

  std::shared_ptr<Storage> storage_;
  std::size_t offset_ = 0;
  Shape shape_;
  DType dtype_ = DType::kF32;
  int64_t spare_rows_ = 0;
};

}  // namespace inlay
