#include "data/images/packed_reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

constexpr std::size_t kDeflateFactor = 1032;
constexpr std::size_t kPiece = std::size_t{1} << 20;  // zlib counts in 32 bits
constexpr int kRawWindow = -15, kGzipWindow = 15 + 16;

}  // namespace

struct PackedReader::Inflater {
  z_stream stream{};
  bool ended = false;
};

PackedReader::PackedReader(std::span<const std::byte> bytes, Packing packing, std::string where)
    : rest_(bytes), where_(std::move(where)), most_(bytes.size()) {
  if (packing == kPlain) return;
  most_ = bytes.size() > SIZE_MAX / kDeflateFactor ? SIZE_MAX : bytes.size() * kDeflateFactor;
  inflater_ = std::make_unique<Inflater>();
  int status = ::inflateInit2(&inflater_->stream, packing == kGzip ? kGzipWindow : kRawWindow);
  ensure(status == Z_OK, "zlib's start gave status {}", status);
}

PackedReader::~PackedReader() {
  if (inflater_) ::inflateEnd(&inflater_->stream);
}

void PackedReader::read(std::span<uint8_t> dst) {
  while (!dst.empty()) {
    std::size_t got = inflater_ ? inflate_some(dst) : copy_some(dst);
    require(got > 0, ErrorKind::kInput, "{}: ends too early: {} bytes are missing", where_,
            dst.size());
    crc_ = static_cast<uint32_t>(::crc32_z(crc_, dst.data(), got));
    dst = dst.subspan(got);
  }
}

void PackedReader::expect_end() {
  std::array<uint8_t, 1> more{};
  std::size_t got = inflater_ ? inflate_some(more) : copy_some(more);
  bool at_end = got == 0 && rest_.empty() && (!inflater_ || inflater_->stream.avail_in == 0);
  require(at_end, ErrorKind::kInput, "{}: more bytes follow than its header tells of", where_);
}

std::size_t PackedReader::copy_some(std::span<uint8_t> dst) {
  std::size_t count = std::min(dst.size(), rest_.size());
  if (count > 0) std::memcpy(dst.data(), rest_.data(), count);
  rest_ = rest_.subspan(count);
  return count;
}

// 0 only at the end of what was packed.
std::size_t PackedReader::inflate_some(std::span<uint8_t> dst) {
  z_stream& stream = inflater_->stream;
  auto room = static_cast<uInt>(std::min(dst.size(), kPiece));
  stream.next_out = dst.data();
  stream.avail_out = room;
  while (!inflater_->ended && stream.avail_out == room) {
    if (stream.avail_in == 0) {
      require(!rest_.empty(), ErrorKind::kInput, "{}: the compressed bytes end too early", where_);
      auto piece = rest_.first(std::min(rest_.size(), kPiece));
      // zlib only reads there.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
      rest_ = rest_.subspan(piece.size());
    }
    int status = ::inflate(&stream, Z_NO_FLUSH);
    require(status == Z_OK || status == Z_STREAM_END, ErrorKind::kInput,
            "{}: the compressed bytes are damaged ({})", where_,
            stream.msg == nullptr ? "unknown reason" : stream.msg);
    inflater_->ended = status == Z_STREAM_END;
  }
  return room - stream.avail_out;
}

}  // namespace inlay
