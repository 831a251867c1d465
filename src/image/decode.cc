#include <iterator>

#include "base/error.h"
#include "image/codecs.h"

namespace inlay {
namespace {

constexpr std::string_view kJpegSignature("\xff\xd8\xff", 3);
constexpr std::string_view kPngSignature("\x89PNG\r\n\x1a\n", 8);

bool is_webp(std::string_view bytes) {
  return bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP";
}

std::string first_bytes(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes.substr(0, 12))
    fmt::format_to(std::back_inserter(hex), " {:02x}", static_cast<uint8_t>(byte));
  return hex;
}

}  // namespace

Image decode_image(std::string_view bytes, const std::string& where, const ImageLimits& limits) {
  require(!bytes.empty(), ErrorKind::kInput, "{}: the file is empty; expected an image", where);
  if (bytes.starts_with(kJpegSignature)) return decode_jpeg(bytes, where, limits);
  if (bytes.starts_with(kPngSignature)) return decode_png(bytes, where, limits);
  if (is_webp(bytes)) return decode_webp(bytes, where, limits);
  fail(ErrorKind::kInput,
       "{}: not an image that is known here: it begins with{}; JPEG, PNG and WebP are read", where,
       first_bytes(bytes));
}

void require_size(int64_t width, int64_t height, const std::string& where,
                  const ImageLimits& limits) {
  require(width > 0 && height > 0, ErrorKind::kInput,
          "{}: an image of {} x {} pixels; expected at least one", where, width, height);
  require(width <= limits.side && height <= limits.side && width * height <= limits.pixels,
          ErrorKind::kInput,
          "{}: {} x {} pixels; at most {} a side and {} in all are read; make it smaller", where,
          width, height, limits.side, limits.pixels);
}

void lay_on_white(std::vector<uint8_t>& samples) {
  const std::size_t pixels = samples.size() / 4;
  for (std::size_t i = 0; i < pixels; ++i) {
    const int alpha = samples[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int sum = alpha * samples[4 * i + c] + (255 - alpha) * 255;
      samples[3 * i + c] = static_cast<uint8_t>((sum + 127) / 255);
    }
  }
  samples.resize(3 * pixels);
}

}  // namespace inlay
