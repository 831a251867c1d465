// Changes of colour as PIL's ImageEnhance and ImageOps make them of RGB images, byte for byte. A
// factor of 1 leaves the picture as it is, 0 takes all of the quality away, more exaggerates it.
#pragma once

#include "image/image.h"

namespace inlay {

Image with_brightness(const Image& image, double factor);  // 0: black
Image with_contrast(const Image& image, double factor);    // 0: all of the mean grey
Image with_saturation(const Image& image, double factor);  // 0: grey
Image with_sharpness(const Image& image, double factor);   // 0: each pixel among its neighbours

// Keeps the upper bits of each sample. REQUIRES: 0 <= bits <= 8.
Image posterized(const Image& image, int bits);

// Inverts the samples from `threshold` on.
Image solarized(const Image& image, double threshold);

// Per channel: from the darkest to the brightest sample is stretched to 0 to 255.
Image auto_contrasted(const Image& image);

// Per channel: a histogram as flat as a table of 256 values can make it.
Image equalized(const Image& image);

}  // namespace inlay
