#include "image/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/error.h"

namespace inlay {
namespace {

// Weights are of 32 bits: 8 for the sample, 2 for sums beyond its range, the rest for the fraction.
constexpr int kFraction = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kFraction - 1);

double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

double hamming(double x) {
  if (x == 0.0) return 1.0;
  if (std::abs(x) >= 1.0) return 0.0;
  const double angle = std::abs(x) * std::numbers::pi;
  return std::sin(angle) / angle * (0.54f + 0.46f * std::cos(angle));  // PIL's are floats
}

// Keys 1981, equation (4), with a = -0.5.
double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

struct Filter {
  double (*weight)(double);
  double support;  // source pixels to each side where nothing is reduced
};

Filter filter_of(Resample resample) {
  switch (resample) {
    case Resample::kBox:
      return {box, 0.5};
    case Resample::kBilinear:
      return {triangle, 1};
    case Resample::kHamming:
      return {hamming, 1};
    case Resample::kBicubic:
      return {cubic, 2};
    case Resample::kLanczos:
      return {lanczos, 3};
    case Resample::kNearest:
      break;
  }
  fail(ErrorKind::kInternal, "resample {} has no filter", static_cast<int>(resample));
}

// The source pixels that one pixel of the result is made of.
struct Window {
  int64_t first, count;
};

struct Weights {
  std::vector<Window> windows;  // one for each pixel of the result, from left to right
  std::vector<int32_t> values;  // (pixels of the result, stride)
  int64_t stride = 0;

  const int32_t* of(int64_t i) const { return values.data() + i * stride; }
  int64_t size() const { return static_cast<int64_t>(windows.size()); }
  int64_t first() const { return windows.front().first; }
  int64_t end() const { return windows.back().first + windows.back().count; }
};

int32_t fixed_point(double weight) {
  const double scaled = weight * (1 << kFraction);
  return static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

Weights weights_for(int64_t src, int64_t dst, const Filter& filter) {
  const double scale = static_cast<double>(src) / static_cast<double>(dst);
  const double widening = std::max(scale, 1.0), narrowing = 1.0 / widening;
  const double support = filter.support * widening;
  Weights weights;
  weights.stride = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  weights.windows.reserve(static_cast<std::size_t>(dst));
  weights.values.resize(static_cast<std::size_t>(dst * weights.stride));
  std::vector<double> exact(static_cast<std::size_t>(weights.stride));
  for (int64_t i = 0; i < dst; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
    const int64_t end = std::min(src, static_cast<int64_t>(centre + support + 0.5));
    const auto count = static_cast<std::size_t>(end - first);
    double sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const double x = static_cast<double>(first + static_cast<int64_t>(k)) - centre + 0.5;
      exact[k] = filter.weight(x * narrowing);
      sum += exact[k];
    }
    int32_t* values = weights.values.data() + i * weights.stride;
    for (std::size_t k = 0; k < count; ++k)
      values[k] = fixed_point(sum != 0 ? exact[k] / sum : exact[k]);
    weights.windows.push_back({first, end - first});
  }
  return weights;
}

uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kFraction, 0, 255)); }

// Rows `first` to `end` of the image, each resized.
Image resized_across(const Image& image, int64_t first, int64_t end, const Weights& weights) {
  Image result = blank_image(weights.size(), end - first);
  uint8_t* dst = result.rgb.data();
  for (int64_t y = first; y < end; ++y) {
    const uint8_t* row = image.rgb.data() + y * image.width * 3;
    for (int64_t x = 0; x < result.width; ++x, dst += 3) {
      const Window window = weights.windows[static_cast<std::size_t>(x)];
      const int32_t* weight = weights.of(x);
      const uint8_t* src = row + window.first * 3;
      std::array<int32_t, 3> sums = {kHalf, kHalf, kHalf};
      for (int64_t k = 0; k < window.count; ++k, src += 3) {
        for (std::size_t c = 0; c < 3; ++c) sums[c] += src[c] * weight[k];
      }
      for (std::size_t c = 0; c < 3; ++c) dst[c] = rounded(sums[c]);
    }
  }
  return result;
}

// The image holds the rows of the source from `first` on.
Image resized_down(const Image& image, int64_t first, const Weights& weights) {
  Image result = blank_image(image.width, weights.size());
  const int64_t samples = image.width * 3;
  std::vector<int32_t> sums(static_cast<std::size_t>(samples));
  for (int64_t y = 0; y < result.height; ++y) {
    const Window window = weights.windows[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int64_t k = 0; k < window.count; ++k) {
      const uint8_t* row = image.rgb.data() + (window.first - first + k) * samples;
      const int32_t weight = weights.of(y)[k];
      for (int64_t i = 0; i < samples; ++i) sums[static_cast<std::size_t>(i)] += row[i] * weight;
    }
    std::transform(sums.begin(), sums.end(), result.rgb.data() + y * samples, rounded);
  }
  return result;
}

Image filtered(const Image& image, int64_t width, int64_t height, const Filter& filter) {
  if (height == image.height)
    return resized_across(image, 0, height, weights_for(image.width, width, filter));
  const Weights down = weights_for(image.height, height, filter);
  if (width == image.width) return resized_down(image, 0, down);
  const int64_t pixels = width * (down.end() - down.first());
  require(pixels <= ImageLimits{}.pixels, ErrorKind::kInput,
          "an image of {} x {} pixels cannot become {} x {}: {} pixels in between, at most {}",
          image.width, image.height, width, height, pixels, ImageLimits{}.pixels);
  const Weights across = weights_for(image.width, width, filter);
  return resized_down(resized_across(image, down.first(), down.end(), across), down.first(), down);
}

// The source's index for each of the result's: PIL adds the step up, so its rounding is had too.
std::vector<int64_t> nearest_indices(int64_t src, int64_t dst) {
  const double scale = static_cast<double>(src) / static_cast<double>(dst);
  std::vector<int64_t> indices(static_cast<std::size_t>(dst));
  double at = 0.5 * scale;
  for (int64_t& index : indices) {
    index = std::min(src - 1, static_cast<int64_t>(at));
    at += scale;
  }
  return indices;
}

Image nearest(const Image& image, int64_t width, int64_t height) {
  Image result = blank_image(width, height);
  const std::vector<int64_t> columns = nearest_indices(image.width, width);
  uint8_t* dst = result.rgb.data();
  for (const int64_t row : nearest_indices(image.height, height)) {
    const uint8_t* src = image.rgb.data() + row * image.width * 3;
    for (const int64_t column : columns) dst = std::copy_n(src + column * 3, 3, dst);
  }
  return result;
}

void require_result(int64_t width, int64_t height) {
  const ImageLimits limits;
  require(width > 0 && height > 0 && width <= limits.side && height <= limits.side &&
              width * height <= limits.pixels,
          ErrorKind::kInput,
          "an image cannot become {} x {} pixels; from 1 to {} a side and at most {} in all are "
          "possible",
          width, height, limits.side, limits.pixels);
}

}  // namespace

Resample resample_from_number(int64_t number, std::string_view where) {
  require(number >= 0 && number <= 5, ErrorKind::kInput,
          "{}: \"resample\" is {}; expected 0 (nearest), 1 (Lanczos), 2 (bilinear), 3 (bicubic), "
          "4 (box) or 5 (Hamming)",
          where, number);
  return static_cast<Resample>(number);
}

Image resize(const Image& image, int64_t width, int64_t height, Resample filter) {
  ensure(image.width > 0 && image.height > 0, "an image of {} x {} pixels", image.width,
         image.height);
  require_result(width, height);
  if (width == image.width && height == image.height) return image;
  if (filter == Resample::kNearest) return nearest(image, width, height);
  return filtered(image, width, height, filter_of(filter));
}

Image crop(const Image& image, int64_t left, int64_t top, int64_t width, int64_t height) {
  require_result(width, height);
  Image part = blank_image(width, height);
  const int64_t first_x = std::max<int64_t>(0, left), end_x = std::min(image.width, left + width);
  const int64_t first_y = std::max<int64_t>(0, top), end_y = std::min(image.height, top + height);
  if (first_x >= end_x) return part;
  for (int64_t y = first_y; y < end_y; ++y) {
    const uint8_t* src = image.rgb.data() + (y * image.width + first_x) * 3;
    uint8_t* dst = part.rgb.data() + ((y - top) * width + first_x - left) * 3;
    std::copy_n(src, (end_x - first_x) * 3, dst);
  }
  return part;
}

Image center_crop(const Image& image, int64_t width, int64_t height) {
  // Halves are rounded down, below zero too: an odd row of padding goes above the picture.
  return crop(image, (image.width - width) >> 1, (image.height - height) >> 1, width, height);
}

Image flipped(const Image& image) {
  Image mirror = blank_image(image.width, image.height);
  for (int64_t y = 0; y < image.height; ++y) {
    const uint8_t* src = image.rgb.data() + y * image.width * 3;
    uint8_t* dst = mirror.rgb.data() + (y + 1) * image.width * 3;
    for (int64_t x = 0; x < image.width; ++x, src += 3) {
      dst -= 3;
      std::copy_n(src, 3, dst);
    }
  }
  return mirror;
}

}  // namespace inlay
