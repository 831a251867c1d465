#include "image/affine.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace inlay {
namespace {

constexpr int kFraction = 16;

int64_t fixed_point(double number) {
  return static_cast<int64_t>(std::floor(number * (1 << kFraction) + 0.5));
}

}  // namespace

Affine rotation(double degrees, int64_t width, int64_t height) {
  const double angle = -degrees * std::numbers::pi / 180;
  const double middle_x = static_cast<double>(width) / 2;
  const double middle_y = static_cast<double>(height) / 2;
  Affine turn = {
      .a = std::cos(angle), .b = std::sin(angle), .d = -std::sin(angle), .e = std::cos(angle)};
  turn.c = middle_x - turn.a * middle_x - turn.b * middle_y;
  turn.f = middle_y - turn.d * middle_x - turn.e * middle_y;
  return turn;
}

Image transformed(const Image& image, const Affine& source) {
  Image result = blank_image(image.width, image.height);
  const int64_t a = fixed_point(source.a), b = fixed_point(source.b);
  const int64_t d = fixed_point(source.d), e = fixed_point(source.e);
  // Pixels are taken at their middle.
  int64_t row_x = fixed_point(source.c + source.a * 0.5 + source.b * 0.5);
  int64_t row_y = fixed_point(source.f + source.d * 0.5 + source.e * 0.5);
  uint8_t* dst = result.rgb.data();
  for (int64_t y = 0; y < result.height; ++y, row_x += b, row_y += e) {
    int64_t at_x = row_x, at_y = row_y;
    for (int64_t x = 0; x < result.width; ++x, at_x += a, at_y += d, dst += 3) {
      const int64_t column = at_x >> kFraction, row = at_y >> kFraction;
      const bool is_inside = column >= 0 && column < image.width && row >= 0 && row < image.height;
      if (is_inside) std::copy_n(image.rgb.data() + (row * image.width + column) * 3, 3, dst);
    }
  }
  return result;
}

}  // namespace inlay
