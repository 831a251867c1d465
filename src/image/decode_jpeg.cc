#include <turbojpeg.h>

#include <memory>
#include <utility>

#include "base/error.h"
#include "image/byte_order.h"
#include "image/codecs.h"
#include "image/exif.h"

namespace inlay {
namespace {

// Markers (ITU-T T.81, table B.1).
constexpr uint32_t kStartOfFrame0 = 0xc0, kStartOfFrame15 = 0xcf;
constexpr uint32_t kHuffmanTables = 0xc4, kExtension = 0xc8, kArithmeticConditions = 0xcc;
constexpr uint32_t kStartOfScan = 0xda;
constexpr uint32_t kApplication1 = 0xe1;
constexpr uint32_t kFill = 0xff;

constexpr std::string_view kExif("Exif\0\0", 6);

struct Header {
  int64_t width = 0, height = 0;
  uint32_t components = 0;
  int orientation = 1;
};

bool starts_frame(uint32_t marker) {
  return marker >= kStartOfFrame0 && marker <= kStartOfFrame15 && marker != kHuffmanTables &&
         marker != kExtension && marker != kArithmeticConditions;
}

void read_segment(uint32_t marker, std::string_view body, Header& header) {
  if (starts_frame(marker) && body.size() >= 6) {
    // T.81, B.2.2: bits of a sample, lines, samples a line, components.
    header.height = from_big_endian(body.substr(1, 2));
    header.width = from_big_endian(body.substr(3, 2));
    header.components = from_big_endian(body.substr(5, 1));
  }
  if (marker == kApplication1 && body.starts_with(kExif))
    header.orientation = exif_orientation(body.substr(kExif.size()));
}

// The segments before the first scan.
Header read_header(std::string_view bytes, const std::string& where) {
  Header header;
  std::size_t at = 2;
  while (at + 4 <= bytes.size()) {
    const uint32_t marker = from_big_endian(bytes.substr(at + 1, 1));
    require(from_big_endian(bytes.substr(at, 1)) == 0xff, ErrorKind::kInput,
            "{}: a corrupt JPEG: no marker at byte {}", where, at);
    if (marker == kStartOfScan) break;
    if (marker == kFill) {
      ++at;
      continue;
    }
    const std::size_t length = from_big_endian(bytes.substr(at + 2, 2));  // of itself and the body
    require(length >= 2 && length <= bytes.size() - at - 2, ErrorKind::kInput,
            "{}: a truncated or corrupt JPEG: a segment of {} bytes at byte {} of {}", where,
            length, at, bytes.size());
    read_segment(marker, bytes.substr(at + 4, length - 2), header);
    at += 2 + length;
  }
  require(header.components > 0, ErrorKind::kInput,
          "{}: a truncated or corrupt JPEG: it has no frame header", where);
  return header;
}

struct Destroy {
  void operator()(void* decoder) const { tjDestroy(decoder); }
};

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& where, const ImageLimits& limits) {
  const Header header = read_header(bytes, where);
  require(header.components != 4, ErrorKind::kInput,
          "{}: a JPEG of four colours (CMYK); save it as RGB", where);
  require_size(header.width, header.height, where, limits);
  const std::unique_ptr<void, Destroy> decoder(tjInitDecompress());
  ensure(decoder != nullptr, "libjpeg-turbo did not start: {}", tjGetErrorStr());
  Image image = blank_image(header.width, header.height);
  // The exact transform and smooth chroma, which are the defaults, are what PIL has. A warning says
  // that data is missing or damaged.
  const int failed = tjDecompress2(
      decoder.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
      image.rgb.data(), static_cast<int>(header.width), 0, static_cast<int>(header.height),
      TJPF_RGB, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS);
  require(failed == 0, ErrorKind::kInput, "{}: a truncated or corrupt JPEG: {}", where,
          tjGetErrorStr2(decoder.get()));
  return upright(std::move(image), header.orientation);
}

}  // namespace inlay
