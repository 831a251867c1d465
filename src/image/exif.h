// The one thing that EXIF says about how a picture is meant: which way up it is.
#pragma once

#include <string_view>

#include "image/image.h"

namespace inlay {

// 1 to 8, the value of the tag Orientation (CIPA DC-008, 4.6.4) in an EXIF block, which is a small
// TIFF file. 1, as it is, where the block is damaged or does not say: cameras write much nonsense.
int exif_orientation(std::string_view exif);

// The picture as it is meant. REQUIRES: `orientation` is 1 to 8.
Image upright(Image image, int orientation);

}  // namespace inlay
