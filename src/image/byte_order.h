// Unsigned numbers of up to four bytes, as the headers of image files have them.
#pragma once

#include <cstdint>
#include <string_view>

namespace inlay {

inline uint32_t from_big_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

inline uint32_t from_little_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte)
    number = number << 8 | static_cast<uint8_t>(*byte);
  return number;
}

}  // namespace inlay
