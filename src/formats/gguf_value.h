// One value of a GGUF file's metadata: a number, a bool, a string, or an array of one of these. It
// holds the bytes as a file has them, so that reading an array of 150,000 token strings costs one
// copy, and writing a value that was read gives the same bytes.
//
//   GgufValue value = GgufValue::of(uint32_t{64});
//   std::optional<int64_t> alignment = value.as<int64_t>();   // any integer type that fits
//   GgufValue tokens = GgufValue::array_of(std::vector<std::string>{"<s>", "</s>"});
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

// Numbered as in files.
enum class GgufValueType : uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64
};
inline constexpr uint32_t kGgufValueTypes = 13;

std::string_view gguf_value_type_name(GgufValueType type);  // "u32", "string"
// Bytes of one value; 0 for strings and arrays, whose length is in the file.
std::size_t gguf_value_type_size(GgufValueType type);

class GgufValue {
 public:
  // T: the integers of 8 to 64 bits, float, double, bool, std::string.
  template <class T>
  static GgufValue of(const T& value);
  template <class T>
  static GgufValue array_of(const std::vector<T>& values);
  // Bytes of a file. REQUIRES: `payload` is `count` whole values of type `element`, checked.
  static GgufValue scalar(GgufValueType type, std::string payload);
  static GgufValue array(GgufValueType element, uint64_t count, std::string payload);

  GgufValueType type() const { return type_; }
  GgufValueType element_type() const { return element_; }  // type() itself when no array
  uint64_t count() const { return count_; }                // 1 when no array
  // What follows the type in a file; of an array, what follows its count.
  const std::string& payload() const { return payload_; }
  std::string describe() const;  // "a string", "an array of 3 u32"

  // The value as bool, int64_t (from any integer type), double (from f32 and f64), std::string, or
  // a std::vector of these; empty when it is of another type or does not fit.
  template <class T>
  std::optional<T> as() const;

  friend bool operator==(const GgufValue&, const GgufValue&) = default;

 private:
  GgufValue(GgufValueType type, GgufValueType element, uint64_t count, std::string payload)
      : type_(type), element_(element), count_(count), payload_(std::move(payload)) {}

  GgufValueType type_;
  GgufValueType element_;
  uint64_t count_;
  std::string payload_;
};

}  // namespace inlay
