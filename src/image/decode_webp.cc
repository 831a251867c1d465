#include <webp/decode.h>

#include <utility>

#include "base/error.h"
#include "image/byte_order.h"
#include "image/codecs.h"
#include "image/exif.h"

namespace inlay {
namespace {

// RIFF: after 12 bytes, chunks of a name, a length and the contents, padded to an even length.
int webp_orientation(std::string_view bytes) {
  std::size_t at = 12;
  while (at + 8 <= bytes.size()) {
    const std::size_t length = from_little_endian(bytes.substr(at + 4, 4));
    if (bytes.substr(at, 4) == "EXIF") return exif_orientation(bytes.substr(at + 8, length));
    at += 8 + length + length % 2;
  }
  return 1;
}

}  // namespace

Image decode_webp(std::string_view bytes, const std::string& where, const ImageLimits& limits) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  WebPBitstreamFeatures features = {};
  require(WebPGetFeatures(data, bytes.size(), &features) == VP8_STATUS_OK, ErrorKind::kInput,
          "{}: a truncated or corrupt WebP: it has no header", where);
  require(features.has_animation == 0, ErrorKind::kInput,
          "{}: an animated WebP; save one of its pictures", where);
  require_size(features.width, features.height, where, limits);
  const bool has_alpha = features.has_alpha != 0;
  const int stride = features.width * (has_alpha ? 4 : 3);
  std::vector<uint8_t> samples(static_cast<std::size_t>(stride) *
                               static_cast<std::size_t>(features.height));
  const auto decode = has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  require(decode(data, bytes.size(), samples.data(), samples.size(), stride) != nullptr,
          ErrorKind::kInput, "{}: a truncated or corrupt WebP", where);
  if (has_alpha) lay_on_white(samples);
  return upright({features.width, features.height, std::move(samples)}, webp_orientation(bytes));
}

}  // namespace inlay
