// What a kernel reads and writes: an address and an element type chosen at run time. Typed pointers
// convert by themselves, and an empty operand means "absent" where a kernel allows it:
//
//   scale(x, 0.5, y, count);                                          // const float* x; BFloat16*
//   y scale({t.raw(), t.dtype()}, 0.5, {u.mutable_raw(), u.dtype()}, t.count());
//
// Unless a kernel says otherwise, operands are f32 or bf16 in any mix, arithmetic is f32 and bf16
// is rounded to nearest even once, at the store. When the first operand is f64, all are, and the
// plain reference runs. Operands do not overlap, except where a kernel allows the same address and
// type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "tensor/dtype.h"

namespace inlay::kernels {

class Input {
 public:
  Input() = default;
  Input(std::nullptr_t) {}
  Input(const std::byte* data, DType dtype) : data_(data), dtype_(dtype) {}
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T> || std::is_class_v<T>>>
  Input(const T* data) : data_(data), dtype_(dtype_of<T>()) {}

  explicit operator bool() const { return data_ != nullptr; }
  DType dtype() const { return dtype_; }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data_);
  }
  // One element, widened: how the references read.
  template <class T>
  T load(int64_t i) const {
    switch (dtype_) {
      case DType::kF64:
        return static_cast<T>(as<double>()[i]);
      case DType::kBF16:
        return static_cast<T>(static_cast<float>(as<BFloat16>()[i]));
      case DType::kF16:
        return static_cast<T>(static_cast<float>(as<Float16>()[i]));
      default:
        return static_cast<T>(as<float>()[i]);
    }
  }

 private:
  const void* data_ = nullptr;
  DType dtype_ = DType::kF32;
};

class Output {
 public:
  Output() = default;
  Output(std::nullptr_t) {}
  Output(std::byte* data, DType dtype) : data_(data), dtype_(dtype) {}
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T> || std::is_class_v<T>>>
  Output(T* data) : data_(data), dtype_(dtype_of<T>()) {}

  explicit operator bool() const { return data_ != nullptr; }
  operator Input() const { return {static_cast<const std::byte*>(data_), dtype_}; }
  DType dtype() const { return dtype_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  // One element, rounded to its type.
  template <class T>
  void store(int64_t i, T value) const {
    switch (dtype_) {
      case DType::kF64:
        as<double>()[i] = static_cast<double>(value);
        break;
      case DType::kBF16:
        as<BFloat16>()[i] = BFloat16(static_cast<float>(value));
        break;
      default:
        as<float>()[i] = static_cast<float>(value);
    }
  }

 private:
  void* data_ = nullptr;
  DType dtype_ = DType::kF32;
};

// Whether the reference runs in double: the first operand is f64. Fails (kInternal) on a mix that
// no kernel takes; absent operands may be listed.
bool runs_in_double(std::initializer_list<Input> operands);

}  // namespace inlay::kernels
