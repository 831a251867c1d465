// Arrays as NumPy saves them (NEP 1, "A simple file format for NumPy arrays"): versions 1 and 2,
// rows first, little-endian integers and floats. The header is a Python dictionary, of which
// exactly what NumPy writes is understood; nothing is evaluated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/images/packed_reader.h"

namespace inlay {

enum class NpyType { kU1, kI1, kI2, kI4, kI8, kF4, kF8 };

std::string_view npy_type_name(NpyType type);  // "u1" ...

struct NpyHeader {
  NpyType type = NpyType::kU1;
  std::vector<int64_t> shape;

  bool operator==(const NpyHeader&) const = default;
};

// kInput naming `where` for any other text.
NpyHeader parse_npy_header(std::string_view text, const std::string& where);

struct NpyArray {
  NpyHeader header;
  std::vector<uint8_t> bytes;

  std::size_t count() const;  // elements
  double value(std::size_t index) const;
};

// Reads one array to its end. At most 4 GiB, and no more than the reader can give, both checked
// before memory is taken.
NpyArray read_npy(PackedReader& reader, const std::string& where);

}  // namespace inlay
