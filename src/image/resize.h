// Resizing as PIL's Image.resize does it for 8-bit images: separable filters whose support grows
// with the reduction (so that nothing aliases), fixed-point weights of 22 bits, one rounding after
// each direction, horizontal first. Results are those of PIL, byte for byte.
#pragma once

#include <string_view>

#include "image/image.h"

namespace inlay {

// By PIL's numbers: preprocessor_config.json has them.
enum class Resample {
  kNearest = 0,
  kLanczos = 1,
  kBilinear = 2,
  kBicubic = 3,
  kBox = 4,
  kHamming = 5
};

// kInput naming `where` for a number that is none of these.
Resample resample_from_number(int64_t number, std::string_view where);

Image resize(const Image& image, int64_t width, int64_t height, Resample filter);

// The part of this size whose upper left corner is at (left, top); what lies outside of the image
// is black.
Image crop(const Image& image, int64_t left, int64_t top, int64_t width, int64_t height);

// The same in the middle, as Hugging Face's center_crop places it.
Image center_crop(const Image& image, int64_t width, int64_t height);

Image flipped(const Image& image);  // left and right

}  // namespace inlay
