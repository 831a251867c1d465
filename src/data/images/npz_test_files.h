// For tests: .npy and .npz bytes as NumPy writes them.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/images/packed_test_bytes.h"

namespace inlay {

inline std::string little_endian(uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xFFu);
  return text;
}

// npy("|u1", "(2, 1)", "ab"), version 1 of the format.
inline std::string npy(const std::string& type, const std::string& shape, const std::string& data) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return "\x93NUMPY" + std::string("\x01\x00", 2) +
         little_endian(static_cast<uint32_t>(header.size()), 2) + header + data;
}

// A zip archive of the members (name without ".npy", bytes).
inline std::string npz(const std::vector<std::pair<std::string, std::string>>& members,
                       bool compressed) {
  std::string file, directory;
  for (const auto& [name, bytes] : members) {
    std::string data = compressed ? deflated(bytes) : bytes, full = name + ".npy";
    auto crc = static_cast<uint32_t>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    std::string shared = little_endian(20, 2) + little_endian(0, 2) +
                         little_endian(compressed ? 8 : 0, 2) + little_endian(0, 4) +
                         little_endian(crc, 4) +
                         little_endian(static_cast<uint32_t>(data.size()), 4) +
                         little_endian(static_cast<uint32_t>(bytes.size()), 4) +
                         little_endian(static_cast<uint32_t>(full.size()), 2);
    directory += "PK\x01\x02" + little_endian(20, 2) + shared + little_endian(0, 2) +
                 little_endian(0, 2) + std::string(8, '\0') +
                 little_endian(static_cast<uint32_t>(file.size()), 4) + full;
    // An extra field that only the local header has.
    file += "PK\x03\x04" + shared + little_endian(4, 2) + full + little_endian(0x4246, 2) +
            little_endian(0, 2) + data;
  }
  auto count = static_cast<uint32_t>(members.size());
  std::string end = "PK\x05\x06" + little_endian(0, 4) + little_endian(count, 2) +
                    little_endian(count, 2) +
                    little_endian(static_cast<uint32_t>(directory.size()), 4) +
                    little_endian(static_cast<uint32_t>(file.size()), 4) + little_endian(0, 2);
  return file + directory + end;
}

}  // namespace inlay
