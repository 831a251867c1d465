// Pictures sheared, moved and turned: each pixel of the result is the source's pixel under it, what
// lies outside is black. The source's coordinates have 16 bits of fraction, as PIL's have, so
// results are PIL's, byte for byte.
#pragma once

#include "image/image.h"

namespace inlay {

// The pixel (x, y) of the result is the source's (a·x + b·y + c, d·x + e·y + f).
struct Affine {
  double a = 1, b = 0, c = 0;
  double d = 0, e = 1, f = 0;
};

// About the middle, anticlockwise as one sees it.
Affine rotation(double degrees, int64_t width, int64_t height);

Image transformed(const Image& image, const Affine& source);

}  // namespace inlay
