#include "formats/gguf_metadata.h"

#include <bit>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

constexpr int64_t kMaxAlignment = 1 << 20;

template <class T>
constexpr const char* kWanted = nullptr;
template <>
constexpr const char* kWanted<bool> = "a bool";
template <>
constexpr const char* kWanted<int64_t> = "an integer below 2^63";
template <>
constexpr const char* kWanted<double> = "an f32 or f64";
template <>
constexpr const char* kWanted<std::string> = "a string";
template <>
constexpr const char* kWanted<std::vector<bool>> = "an array of bools";
template <>
constexpr const char* kWanted<std::vector<int64_t>> = "an array of integers below 2^63";
template <>
constexpr const char* kWanted<std::vector<double>> = "an array of f32 or f64";
template <>
constexpr const char* kWanted<std::vector<std::string>> = "an array of strings";

}  // namespace

const GgufValue* GgufMetadata::find(std::string_view key) const {
  auto found = index_.find(key);
  return found == index_.end() ? nullptr : &entries_[found->second].value;
}

template <class T>
T GgufMetadata::get(std::string_view key) const {
  const GgufValue* value = find(key);
  require(value != nullptr, ErrorKind::kInput, "{}: metadata key \"{}\" is missing; expected {}",
          where_, key, kWanted<T>);
  std::optional<T> found = value->as<T>();
  require(found.has_value(), ErrorKind::kInput, "{}: metadata key \"{}\" is {}; expected {}",
          where_, key, value->describe(), kWanted<T>);
  return std::move(*found);
}

template bool GgufMetadata::get(std::string_view) const;
template int64_t GgufMetadata::get(std::string_view) const;
template double GgufMetadata::get(std::string_view) const;
template std::string GgufMetadata::get(std::string_view) const;
template std::vector<bool> GgufMetadata::get(std::string_view) const;
template std::vector<int64_t> GgufMetadata::get(std::string_view) const;
template std::vector<double> GgufMetadata::get(std::string_view) const;
template std::vector<std::string> GgufMetadata::get(std::string_view) const;

void GgufMetadata::set(std::string_view key, GgufValue value) {
  auto [place, added] = index_.try_emplace(std::string(key), entries_.size());
  if (added) {
    entries_.push_back({std::string(key), std::move(value)});
  } else {
    entries_[place->second].value = std::move(value);
  }
}

uint64_t GgufMetadata::alignment() const {
  const GgufValue* value = find("general.alignment");
  if (value == nullptr) return 32;
  require(value->type() == GgufValueType::kU32, ErrorKind::kInput,
          "{}: metadata key \"general.alignment\" is {}; expected a u32", where_,
          value->describe());
  const int64_t alignment = *value->as<int64_t>();
  require(alignment <= kMaxAlignment && std::has_single_bit(static_cast<uint64_t>(alignment)),
          ErrorKind::kInput, "{}: general.alignment is {}; expected a power of two of at most {}",
          where_, alignment, kMaxAlignment);
  return static_cast<uint64_t>(alignment);
}

}  // namespace inlay
