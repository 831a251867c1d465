// Pictures changed at random while training, a function of (seed, epoch, item) alone: the streams
// are counters (base/random.h), so neither threads nor the order of loading change a bit.
#pragma once

#include "base/fields.h"
#include "base/random.h"
#include "image/resize.h"

namespace inlay {

// Named as in torchvision.
struct Augmentation {
  // random resized crop: the least share of the picture that is kept; 1: no cropping.
  double crop_scale = 1;
  double flip = 0;                                      // probability of mirroring left and right
  double brightness = 0, contrast = 0, saturation = 0;  // a factor of 1 - v to 1 + v each
  int64_t randaugment_ops = 0;        // RandAugment (Cubuk et al. 2019): so many operations ...
  int64_t randaugment_magnitude = 9;  // ... of this strength, 0 to 30
  double erasing = 0;                 // probability that a rectangle is filled with grey
  // Two pictures of a batch made into one (image/mixing.h), by shares from Beta(v, v); 0: not.
  double mixup = 0, cutmix = 0;

  bool any() const;    // whether pictures change one by one
  bool mixes() const;  // whether they are mixed with others
  void check() const;  // kUsage for a value out of its range
  void fields(FieldVisitor& visit);
};

// The picture as the item of the epoch sees it whose stream is given; of the size width x height
// where it is cropped at random, else of its own size. Cropped, mirrored, RandAugment, jitter in
// the order of the fields, erased.
Image augmented(const Image& image, const Augmentation& how, const Stream& stream, int64_t width,
                int64_t height, Resample filter);

}  // namespace inlay
