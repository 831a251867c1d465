#include "image/rand_augment.h"

#include <cmath>
#include <iterator>

#include "image/affine.h"
#include "image/enhance.h"

namespace inlay {
namespace {

// Of what it is at the largest magnitude.
double share(double most, double magnitude) { return most * magnitude / kLargestMagnitude; }

double pixels(int64_t side, double magnitude) {
  return std::trunc(share(150.0 / 331.0 * static_cast<double>(side), magnitude));
}

Image shear_x(const Image& image, double magnitude) {
  return transformed(image, {.b = share(0.3, magnitude)});
}

Image shear_y(const Image& image, double magnitude) {
  return transformed(image, {.d = share(0.3, magnitude)});
}

Image translate_x(const Image& image, double magnitude) {
  return transformed(image, {.c = -pixels(image.width, magnitude)});
}

Image translate_y(const Image& image, double magnitude) {
  return transformed(image, {.f = -pixels(image.height, magnitude)});
}

Image rotate(const Image& image, double magnitude) {
  return transformed(image, rotation(share(30, magnitude), image.width, image.height));
}

Image posterize(const Image& image, double magnitude) {
  return posterized(image, 8 - static_cast<int>(std::lround(share(4, magnitude))));
}

constexpr RandAugmentOperation kOperations[] = {
    {"Identity", false, [](const Image& image, double) { return image; }},
    {"ShearX", true, shear_x},
    {"ShearY", true, shear_y},
    {"TranslateX", true, translate_x},
    {"TranslateY", true, translate_y},
    {"Rotate", true, rotate},
    {"Brightness", true,
     [](const Image& image, double m) { return with_brightness(image, 1 + share(0.9, m)); }},
    {"Color", true,
     [](const Image& image, double m) { return with_saturation(image, 1 + share(0.9, m)); }},
    {"Contrast", true,
     [](const Image& image, double m) { return with_contrast(image, 1 + share(0.9, m)); }},
    {"Sharpness", true,
     [](const Image& image, double m) { return with_sharpness(image, 1 + share(0.9, m)); }},
    {"Posterize", false, posterize},
    {"Solarize", false,
     [](const Image& image, double m) { return solarized(image, 255 - share(255, m)); }},
    {"AutoContrast", false, [](const Image& image, double) { return auto_contrasted(image); }},
    {"Equalize", false, [](const Image& image, double) { return equalized(image); }},
};

}  // namespace

std::span<const RandAugmentOperation> rand_augment_operations() { return kOperations; }

Image rand_augmented(const Image& image, int64_t operations, int64_t magnitude,
                     const Stream& stream, uint64_t first) {
  Image result = image;
  for (uint64_t i = 0; i < static_cast<uint64_t>(operations); ++i) {
    const float choice = stream.uniform(first + 2 * i) * static_cast<float>(std::size(kOperations));
    const RandAugmentOperation& operation = kOperations[static_cast<std::size_t>(choice)];
    const bool is_negative = operation.has_sign && stream.uniform(first + 2 * i + 1) < 0.5f;
    const auto strength = static_cast<double>(magnitude);
    result = operation.apply(result, is_negative ? -strength : strength);
  }
  return result;
}

}  // namespace inlay
