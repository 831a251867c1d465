#include "image/mixing.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace inlay {
namespace {

// Which numbers of the stream are drawn for what.
constexpr uint64_t kCoin = 0, kColumn = 1, kRow = 2;
constexpr uint64_t kFirstGamma = 16, kSecondGamma = uint64_t{1} << 32;

// (0, 1], so that it has a logarithm.
double above_zero(const Stream& stream, uint64_t element) {
  return 1 - static_cast<double>(stream.uniform(element));
}

// The logarithm of a number of Gamma(shape, 1): Marsaglia and Tsang 2000, "A simple method for
// generating gamma variables". Gamma(a) is Gamma(a + 1) u^(1/a), which for a small shape may be
// below the least double; its logarithm is not.
double log_gamma_sample(const Stream& stream, double shape, uint64_t first) {
  const double smaller = shape < 1 ? std::log(above_zero(stream, first)) / shape : 0;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (uint64_t element = first + 1;; ++element) {
    const double x = stream.normal(element), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(above_zero(stream, element)) < 0.5 * x * x + d - d * v + d * std::log(v))
      return std::log(d * v) + smaller;
  }
}

// [centre - length / 2, centre + length / 2) within [0, size).
struct Stretch {
  int64_t begin, end;
};
Stretch stretch_around(const Stream& stream, uint64_t element, int64_t length, int64_t size) {
  const auto centre = static_cast<int64_t>(stream.below(static_cast<uint64_t>(size), element));
  return {std::max<int64_t>(0, centre - length / 2), std::min(size, centre + length / 2)};
}

}  // namespace

double beta_sample(const Stream& stream, double alpha) {
  const double x = log_gamma_sample(stream, alpha, kFirstGamma);
  const double y = log_gamma_sample(stream, alpha, kSecondGamma);
  return 1 / (1 + std::exp(y - x));
}

CutRectangle cut_rectangle(const Stream& stream, double share, int64_t width, int64_t height) {
  const double side = std::sqrt(std::max(0.0, 1 - share));
  const auto part = [side](int64_t whole) {
    return static_cast<int64_t>(static_cast<double>(whole) * side);
  };
  const Stretch columns = stretch_around(stream, kColumn, part(width), width);
  const Stretch rows = stretch_around(stream, kRow, part(height), height);
  return {columns.begin, rows.begin, columns.end - columns.begin, rows.end - rows.begin};
}

Blend drawn_blend(const Augmentation& how, const Stream& stream, int64_t width, int64_t height) {
  ensure(how.mixes(), "pictures are mixed that nobody asked to mix");
  const bool coin = stream.uniform(kCoin) < 0.5f;
  const bool cuts = how.mixup > 0 && how.cutmix > 0 ? coin : how.cutmix > 0;
  const double share = beta_sample(stream, cuts ? how.cutmix : how.mixup);
  if (!cuts) return {.share = static_cast<float>(share)};
  const CutRectangle cut = cut_rectangle(stream, share, width, height);
  const double gone =
      static_cast<double>(cut.width * cut.height) / static_cast<double>(width * height);
  return {.share = static_cast<float>(1 - gone), .cut = cut};
}

void blend(const Blend& how, int64_t width, std::span<const float> partner,
           std::span<float> pixels) {
  ensure(partner.size() == pixels.size(), "pictures of {} and {} numbers are mixed", pixels.size(),
         partner.size());
  if (!how.cut) {
    const float others = 1 - how.share;
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = how.share * pixels[i] + others * partner[i];
    return;
  }
  for (int64_t y = how.cut->top; y < how.cut->top + how.cut->height; ++y) {
    const int64_t first = (y * width + how.cut->left) * 3;
    std::copy_n(partner.data() + first, how.cut->width * 3, pixels.data() + first);
  }
}

}  // namespace inlay
