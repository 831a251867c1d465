#include "text/charsmap.h"

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

// Published ones have 0.3 MB.
constexpr std::size_t kMaxCharsmapBytes = 16u << 20;

uint32_t read_u32(std::string_view bytes, std::size_t at) {
  uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

bool has_value(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t value_of(uint32_t unit) { return unit & 0x7FFFFFFFu; }
// A unit that holds a value has the top bit set, so that its label is no byte.
uint32_t label_of(uint32_t unit) { return unit & 0x800000FFu; }
uint32_t offset_of(uint32_t unit) { return unit >> 10 << ((unit & 0x200u) >> 6); }

}  // namespace

Charsmap::Charsmap(std::string_view bytes, std::string place) : place_(std::move(place)) {
  require(bytes.size() <= kMaxCharsmapBytes, ErrorKind::kInput,
          "{}: the charsmap has {} bytes; at most {} are supported", place_, bytes.size(),
          kMaxCharsmapBytes);
  require(bytes.size() >= 4, ErrorKind::kInput,
          "{}: the charsmap has {} bytes; expected 4 for its length and more", place_,
          bytes.size());
  const uint32_t length = read_u32(bytes, 0);
  require(length >= 4 && length <= bytes.size() - 4 && length % 4 == 0, ErrorKind::kInput,
          "{}: the charsmap says that its trie has {} bytes; expected a multiple of 4 up to {}",
          place_, length, bytes.size() - 4);
  units_.reserve(length / 4);
  for (std::size_t at = 4; at < 4 + std::size_t{length}; at += 4) {
    units_.push_back(read_u32(bytes, at));
  }
  replacements_ = bytes.substr(4 + std::size_t{length});
  const auto invalid = first_invalid_utf8(replacements_);
  require(!invalid, ErrorKind::kInput,
          "{}: the replacements of the charsmap are not valid UTF-8 at byte {}", place_,
          invalid.value_or(0));
}

std::optional<std::string_view> Charsmap::find(std::string_view text) const {
  std::size_t node = offset_of(units_[0]);
  for (char c : text) {
    const auto label = static_cast<uint8_t>(c);
    node ^= label;
    // A node outside the array is one that is not there.
    if (label == 0 || node >= units_.size() || label_of(units_[node]) != label) return std::nullopt;
    const uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_value(unit)) continue;
    if (node >= units_.size()) return std::nullopt;
    return replacement(value_of(units_[node]));
  }
  return std::nullopt;
}

std::string_view Charsmap::replacement(uint32_t at) const {
  const bool is_boundary =
      at <= replacements_.size() &&
      (at == replacements_.size() || (static_cast<uint8_t>(replacements_[at]) & 0xC0) != 0x80);
  require(is_boundary, ErrorKind::kInput,
          "{}: the charsmap points to byte {} of its {} bytes of replacements, which begins no "
          "character",
          place_, at, replacements_.size());
  const std::size_t end = std::min(replacements_.find('\0', at), replacements_.size());
  return std::string_view(replacements_).substr(at, end - at);
}

}  // namespace inlay::text
