// A picture that nobody took, for probes: uniform noise, a function of its size and seed.
#pragma once

#include <memory>

#include "models/pixel_source.h"

namespace inlay {

// `size` of none: 224 x 224.
std::shared_ptr<const PixelSource> noise_picture(MapSize size, uint64_t seed);

}  // namespace inlay
