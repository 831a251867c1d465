// Two training pictures made into one, with a target in the same shares: mixup (Zhang et al. 2018,
// arXiv:1710.09412) pixel by pixel, CutMix (Yun et al. 2019, arXiv:1905.04899) by a rectangle.
//
//   Blend how = drawn_blend(augmentation, Stream(seed, "mix/3/17"), width, height);
//   blend(how, width, partner, pixels);  // and the target: share * own + (1 - share) * partner's
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/random.h"
#include "image/augment.h"

namespace inlay {

struct CutRectangle {
  int64_t left = 0, top = 0, width = 0, height = 0;
};

struct Blend {
  float share = 1;                       // of the picture's own in the target
  std::optional<CutRectangle> cut = {};  // what is the partner's; unset: some of every pixel
};

// One number of Beta(alpha, alpha). REQUIRES: alpha > 0.
double beta_sample(const Stream& stream, double alpha);

// CutMix, eq. 2: sides of sqrt(1 - share) of the picture's around a point that is drawn anywhere,
// as far as they are within the picture; perhaps empty.
CutRectangle cut_rectangle(const Stream& stream, double share, int64_t width, int64_t height);

// Where both ways are asked for, a coin chooses. The share of a cut is that of the pixels that
// stay. REQUIRES: how.mixes().
Blend drawn_blend(const Augmentation& how, const Stream& stream, int64_t width, int64_t height);

// Both (height, width, 3).
void blend(const Blend& how, int64_t width, std::span<const float> partner,
           std::span<float> pixels);

}  // namespace inlay
