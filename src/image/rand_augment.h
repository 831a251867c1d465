// RandAugment (Cubuk et al. 2019): some operations of a fixed list, drawn with equal chances, all
// of one strength. The list and what a strength means are torchvision's.
#pragma once

#include <span>

#include "base/random.h"
#include "image/image.h"

namespace inlay {

constexpr int64_t kLargestMagnitude = 30;

struct RandAugmentOperation {
  const char* name;  // torchvision's
  bool has_sign;     // the strength is negative half of the time
  // `magnitude` is -30 to 30 where there is a sign, else 0 to 30.
  Image (*apply)(const Image& image, double magnitude);
};

std::span<const RandAugmentOperation> rand_augment_operations();

// Takes the numbers of `stream` from `first` on, two for each operation.
Image rand_augmented(const Image& image, int64_t operations, int64_t magnitude,
                     const Stream& stream, uint64_t first);

}  // namespace inlay
