// The pixels of one image as a base reads them: decoded, resized, cropped and normalised when a
// batch is made, so that images stay in their files until then.
#pragma once

#include "autograd/row_space.h"

namespace inlay {

class PixelSource {
 public:
  virtual ~PixelSource() = default;
  virtual MapSize size() const = 0;
  // Writes (height * width, 3) normalised numbers, red first. May be called by several threads at
  // once. kInput naming the image where it cannot be read.
  virtual void read(float* pixels) const = 0;
};

}  // namespace inlay
