// A picture in memory and how files become one: JPEG, PNG and WebP, told apart by their first
// bytes. Sizes are checked before anything is decoded.
//
//   Image image = decode_image(read_file("stamp.png"), "stamp.png");
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

struct Image {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;  // (height, width, 3)

  bool operator==(const Image&) const = default;
};

// Black.
inline Image blank_image(int64_t width, int64_t height) {
  return {width, height, std::vector<uint8_t>(static_cast<std::size_t>(width * height * 3))};
}

struct ImageLimits {
  int64_t side = 32768;       // pixels
  int64_t pixels = 64 << 20;  // width * height
};

// Grey becomes RGB; what is transparent lies on white (alpha is composed in 8 bits); 16-bit samples
// keep their upper 8 bits; CMYK JPEG and animations are kInput. A JPEG, PNG or WebP with an EXIF
// orientation is turned upright. A file that is truncated, corrupt, of another format or beyond the
// limits is kInput naming `where`, what was found and what is read.
Image decode_image(std::string_view bytes, const std::string& where,
                   const ImageLimits& limits = {});

// 8-bit RGB PNG, for reports and tests.
std::string encode_png(const Image& image);

}  // namespace inlay
