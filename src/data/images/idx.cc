#include "data/images/idx.h"

#include <array>

#include "base/error.h"
#include "base/files.h"
#include "data/images/packed_reader.h"

namespace inlay {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
constexpr uint8_t kUnsignedByte = 0x08;

PackedReader::Packing packing_of(std::span<const std::byte> file) {
  bool gzip = file.size() >= 2 && file[0] == std::byte{0x1f} && file[1] == std::byte{0x8b};
  return gzip ? PackedReader::kGzip : PackedReader::kPlain;
}

void check_magic(const std::array<uint8_t, 4>& magic, const std::string& where) {
  require(magic[0] == 0 && magic[1] == 0, ErrorKind::kInput,
          "{}: begins with {:02x} {:02x}; expected the 00 00 of an IDX file", where, magic[0],
          magic[1]);
  require(magic[2] == kUnsignedByte, ErrorKind::kInput,
          "{}: element type 0x{:02x}; expected 0x08 (unsigned bytes)", where, magic[2]);
  require(magic[3] == 1 || magic[3] == 3 || magic[3] == 4, ErrorKind::kInput,
          "{}: rank {}; expected 1 (labels), 3 (grey pictures) or 4 (colour pictures)", where,
          magic[3]);
}

std::vector<int64_t> read_sizes(PackedReader& reader, std::size_t rank, const std::string& where) {
  std::vector<int64_t> sizes;
  sizes.reserve(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::array<uint8_t, 4> bytes{};
    reader.read(bytes);
    int64_t size = 0;
    for (uint8_t byte : bytes) size = size * 256 + byte;
    require(size > 0, ErrorKind::kInput, "{}: size {} is 0; expected at least one", where, axis);
    sizes.push_back(size);
  }
  require(rank != 4 || sizes[3] == 3, ErrorKind::kInput,
          "{}: {} channels; expected 3 (n, height, width, 3)", where, rank == 4 ? sizes[3] : 0);
  return sizes;
}

std::size_t checked_count(const std::vector<int64_t>& sizes, std::size_t most,
                          const std::string& where) {
  std::size_t count = 1;
  for (int64_t size : sizes) {
    bool fits = !__builtin_mul_overflow(count, static_cast<std::size_t>(size), &count) &&
                count <= kMaxBytes;
    require(fits, ErrorKind::kInput, "{}: the header tells of more than {} bytes, the limit", where,
            kMaxBytes);
  }
  require(count <= most, ErrorKind::kInput,
          "{}: the header tells of {} bytes, but the file cannot hold more than {}", where, count,
          most);
  return count;
}

}  // namespace

IdxArray parse_idx(std::span<const std::byte> file, const std::string& where) {
  PackedReader reader(file, packing_of(file), where);
  std::array<uint8_t, 4> magic{};
  reader.read(magic);
  check_magic(magic, where);
  IdxArray array;
  array.sizes = read_sizes(reader, magic[3], where);
  array.bytes.resize(checked_count(array.sizes, reader.most(), where));
  reader.read(array.bytes);
  reader.expect_end();
  return array;
}

IdxArray read_idx(const std::filesystem::path& path) {
  MappedFile file(path);
  return parse_idx(file.bytes(), path.string());
}

}  // namespace inlay
