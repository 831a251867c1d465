#include "formats/gguf_value.h"

#include <fmt/core.h>

#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

namespace inlay {
namespace {

struct TypeRow {
  std::string_view name;
  std::size_t size;
};

constexpr std::array<TypeRow, kGgufValueTypes> kValueTypes = {{{"u8", 1},
                                                               {"i8", 1},
                                                               {"u16", 2},
                                                               {"i16", 2},
                                                               {"u32", 4},
                                                               {"i32", 4},
                                                               {"f32", 4},
                                                               {"bool", 1},
                                                               {"string", 0},
                                                               {"array", 0},
                                                               {"u64", 8},
                                                               {"i64", 8},
                                                               {"f64", 8}}};

template <class T>
constexpr GgufValueType value_type_of() {
  if constexpr (std::is_same_v<T, uint8_t>) return GgufValueType::kU8;
  if constexpr (std::is_same_v<T, int8_t>) return GgufValueType::kI8;
  if constexpr (std::is_same_v<T, uint16_t>) return GgufValueType::kU16;
  if constexpr (std::is_same_v<T, int16_t>) return GgufValueType::kI16;
  if constexpr (std::is_same_v<T, uint32_t>) return GgufValueType::kU32;
  if constexpr (std::is_same_v<T, int32_t>) return GgufValueType::kI32;
  if constexpr (std::is_same_v<T, float>) return GgufValueType::kF32;
  if constexpr (std::is_same_v<T, bool>) return GgufValueType::kBool;
  if constexpr (std::is_same_v<T, std::string>) return GgufValueType::kString;
  if constexpr (std::is_same_v<T, uint64_t>) return GgufValueType::kU64;
  if constexpr (std::is_same_v<T, int64_t>) return GgufValueType::kI64;
  if constexpr (std::is_same_v<T, double>) return GgufValueType::kF64;
}

template <class T>
void append(std::string& payload, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    append(payload, static_cast<uint64_t>(value.size()));
    payload += value;
  } else if constexpr (std::is_same_v<T, bool>) {
    payload += static_cast<char>(value ? 1 : 0);
  } else {
    payload.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
}

template <class T>
T take(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  at += sizeof(T);
  return value;
}

template <class Stored, class T>
bool take_as(const char*& at, T& value) {
  value = static_cast<T>(take<Stored>(at));
  return true;
}

// Each decoder reads the value at `at`, moves behind it, and returns false when it does not fit.
bool decode(GgufValueType type, const char*& at, int64_t& value) {
  switch (type) {
    case GgufValueType::kU8:
      return take_as<uint8_t>(at, value);
    case GgufValueType::kI8:
      value = (int64_t{take<uint8_t>(at)} ^ 128) - 128;  // extends the sign
      return true;
    case GgufValueType::kU16:
      return take_as<uint16_t>(at, value);
    case GgufValueType::kI16:
      return take_as<int16_t>(at, value);
    case GgufValueType::kU32:
      return take_as<uint32_t>(at, value);
    case GgufValueType::kI32:
      return take_as<int32_t>(at, value);
    case GgufValueType::kI64:
      return take_as<int64_t>(at, value);
    case GgufValueType::kU64:
      return take_as<uint64_t>(at, value) && value >= 0;
    default:
      return false;
  }
}

bool decode(GgufValueType type, const char*& at, double& value) {
  if (type == GgufValueType::kF32) return take_as<float>(at, value);
  return type == GgufValueType::kF64 && take_as<double>(at, value);
}

bool decode(GgufValueType type, const char*& at, bool& value) {
  return type == GgufValueType::kBool && take_as<uint8_t>(at, value);
}

bool decode(GgufValueType type, const char*& at, std::string& value) {
  if (type != GgufValueType::kString) return false;
  const auto length = take<uint64_t>(at);
  value.assign(at, length);
  at += length;
  return true;
}

template <class T>
struct ElementOf {
  using Type = void;
};
template <class T>
struct ElementOf<std::vector<T>> {
  using Type = T;
};

}  // namespace

std::string_view gguf_value_type_name(GgufValueType type) {
  return kValueTypes[static_cast<std::size_t>(type)].name;
}

std::size_t gguf_value_type_size(GgufValueType type) {
  return kValueTypes[static_cast<std::size_t>(type)].size;
}

template <class T>
GgufValue GgufValue::of(const T& value) {
  std::string payload;
  append(payload, value);
  return scalar(value_type_of<T>(), std::move(payload));
}

template <class T>
GgufValue GgufValue::array_of(const std::vector<T>& values) {
  std::string payload;
  for (const T& value : values) append(payload, value);
  return array(value_type_of<T>(), values.size(), std::move(payload));
}

GgufValue GgufValue::scalar(GgufValueType type, std::string payload) {
  return {type, type, 1, std::move(payload)};
}

GgufValue GgufValue::array(GgufValueType element, uint64_t count, std::string payload) {
  return {GgufValueType::kArray, element, count, std::move(payload)};
}

std::string GgufValue::describe() const {
  const std::string_view name = gguf_value_type_name(element_);
  if (type_ == GgufValueType::kArray) return fmt::format("an array of {} {}", count_, name);
  const bool vowel = name.front() == 'i';
  return fmt::format("{} {}", vowel ? "an" : "a", name);
}

template <class T>
std::optional<T> GgufValue::as() const {
  using Element = typename ElementOf<T>::Type;
  const char* at = payload_.data();
  if constexpr (std::is_void_v<Element>) {
    T value{};
    if (type_ == GgufValueType::kArray || !decode(type_, at, value)) return std::nullopt;
    return value;
  } else {
    if (type_ != GgufValueType::kArray) return std::nullopt;
    T values;
    values.reserve(count_);
    for (uint64_t i = 0; i < count_; ++i) {
      Element value{};
      if (!decode(element_, at, value)) return std::nullopt;
      values.push_back(std::move(value));
    }
    return values;
  }
}

#define INLAY_GGUF_STORED(T)                  \
  template GgufValue GgufValue::of(const T&); \
  template GgufValue GgufValue::array_of(const std::vector<T>&);
INLAY_GGUF_STORED(uint8_t)
INLAY_GGUF_STORED(int8_t)
INLAY_GGUF_STORED(uint16_t)
INLAY_GGUF_STORED(int16_t)
INLAY_GGUF_STORED(uint32_t)
INLAY_GGUF_STORED(int32_t)
INLAY_GGUF_STORED(uint64_t)
INLAY_GGUF_STORED(int64_t)
INLAY_GGUF_STORED(float)
INLAY_GGUF_STORED(double)
INLAY_GGUF_STORED(std::string)
template GgufValue GgufValue::of(const bool&);
#undef INLAY_GGUF_STORED

template std::optional<bool> GgufValue::as() const;
template std::optional<int64_t> GgufValue::as() const;
template std::optional<double> GgufValue::as() const;
template std::optional<std::string> GgufValue::as() const;
template std::optional<std::vector<bool>> GgufValue::as() const;
template std::optional<std::vector<int64_t>> GgufValue::as() const;
template std::optional<std::vector<double>> GgufValue::as() const;
template std::optional<std::vector<std::string>> GgufValue::as() const;

}  // namespace inlay
