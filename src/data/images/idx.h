// IDX files, as MNIST and its relatives have them (http://yann.lecun.com/exdb/mnist, "the IDX file
// format"), plain or gzipped:
//
//   0 0 | type, here 0x08 for unsigned bytes | rank | rank big-endian 32-bit sizes | the elements
//
// Rank 1 is labels, rank 3 grey pictures (n, height, width), rank 4 colour ones (n, height, width,
// 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace inlay {

struct IdxArray {
  std::vector<int64_t> sizes;  // items first; none is 0
  std::vector<uint8_t> bytes;
};

// kInput names `where`, what was found and what was expected; sizes are checked against the bytes
// that are there, and against 1 GiB, before memory is taken.
IdxArray parse_idx(std::span<const std::byte> file, const std::string& where);
IdxArray read_idx(const std::filesystem::path& path);

}  // namespace inlay
