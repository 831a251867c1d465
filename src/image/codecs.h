// What decode_image calls once it knows the format, and what the formats have in common. Each takes
// bytes that begin with its signature and returns the picture upright.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace inlay {

Image decode_jpeg(std::string_view bytes, const std::string& where, const ImageLimits& limits);
Image decode_png(std::string_view bytes, const std::string& where, const ImageLimits& limits);
Image decode_webp(std::string_view bytes, const std::string& where, const ImageLimits& limits);

// kInput where a header's size is nothing or beyond the limits.
void require_size(int64_t width, int64_t height, const std::string& where,
                  const ImageLimits& limits);

// (pixels, 4) becomes (pixels, 3): c·a + 255·(255 − a), over 255 and rounded.
void lay_on_white(std::vector<uint8_t>& samples);

}  // namespace inlay
