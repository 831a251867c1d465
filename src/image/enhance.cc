#include "image/enhance.h"

#include <algorithm>
#include <array>

namespace inlay {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

int64_t pixels(const Image& image) { return image.width * image.height; }

// ITU-R 601 luma with weights of 16 bits.
int luma(const uint8_t* rgb) {
  return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

// In float and cut off, not rounded, as PIL blends.
uint8_t blend(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

// `from(i)` is what the factor 0 makes of sample i.
template <class From>
Image blended(const Image& image, double factor, const From& from) {
  Image result = blank_image(image.width, image.height);
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    result.rgb[i] = blend(from(i), image.rgb[i], static_cast<float>(factor));
  return result;
}

// Each pixel as a mean in which it has the weight 5 and its eight neighbours 1; the border as is.
Image smooth(const Image& image) {
  Image result = image;
  const int64_t row = image.width * 3;
  for (int64_t y = 1; y + 1 < image.height; ++y) {
    for (int64_t i = y * row + 3; i < (y + 1) * row - 3; ++i) {
      const uint8_t* at = image.rgb.data() + i;
      int sum = 4 * at[0];
      for (const int64_t line : {-row, int64_t{0}, row})
        sum += at[line - 3] + at[line] + at[line + 3];
      result.rgb[static_cast<std::size_t>(i)] = static_cast<uint8_t>((2 * sum + 13) / 26);
    }
  }
  return result;
}

std::array<Histogram, 3> histograms(const Image& image) {
  std::array<Histogram, 3> counts = {};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) ++counts[i % 3][image.rgb[i]];
  return counts;
}

Image mapped(const Image& image, const std::array<Table, 3>& tables) {
  Image result = blank_image(image.width, image.height);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) result.rgb[i] = tables[i % 3][image.rgb[i]];
  return result;
}

// `value(v)` for every value of a sample.
template <class Value>
Table table_of(const Value& value) {
  Table table;
  for (int v = 0; v < 256; ++v) table[static_cast<std::size_t>(v)] = value(v);
  return table;
}

Table identity() {
  return table_of([](int v) { return static_cast<uint8_t>(v); });
}

Table stretching(const Histogram& counts) {
  const auto is_present = [](int64_t count) { return count > 0; };
  const auto low = std::find_if(counts.begin(), counts.end(), is_present) - counts.begin();
  const auto high =
      255 - (std::find_if(counts.rbegin(), counts.rend(), is_present) - counts.rbegin());
  if (high <= low) return identity();
  const double scale = 255.0 / static_cast<double>(high - low);
  const double offset = -static_cast<double>(low) * scale;
  return table_of([&](int v) {
    return static_cast<uint8_t>(std::clamp(static_cast<double>(v) * scale + offset, 0.0, 255.0));
  });
}

Table equalizing(const Histogram& counts) {
  int64_t sum = 0, last = 0;
  for (const int64_t count : counts) {
    sum += count;
    if (count > 0) last = count;
  }
  const int64_t step = (sum - last) / 255;
  if (step == 0) return identity();
  int64_t below = step / 2;
  Table table;
  for (std::size_t v = 0; v < 256; ++v) {
    table[v] = static_cast<uint8_t>(std::min<int64_t>(below / step, 255));
    below += counts[v];
  }
  return table;
}

Image mapped_by_channel(const Image& image, Table (*table)(const Histogram&)) {
  const std::array<Histogram, 3> counts = histograms(image);
  return mapped(image, {table(counts[0]), table(counts[1]), table(counts[2])});
}

}  // namespace

Image with_brightness(const Image& image, double factor) {
  return blended(image, factor, [](std::size_t) { return 0; });
}

Image with_contrast(const Image& image, double factor) {
  int64_t sum = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) sum += luma(&image.rgb[i]);
  const double mean = static_cast<double>(sum) / static_cast<double>(pixels(image));
  const int grey = static_cast<int>(mean + 0.5);
  return blended(image, factor, [&](std::size_t) { return grey; });
}

Image with_saturation(const Image& image, double factor) {
  return blended(image, factor, [&](std::size_t i) { return luma(image.rgb.data() + i - i % 3); });
}

Image with_sharpness(const Image& image, double factor) {
  const Image soft = smooth(image);
  return blended(image, factor, [&](std::size_t i) { return int{soft.rgb[i]}; });
}

Image posterized(const Image& image, int bits) {
  const Table table =
      table_of([&](int v) { return static_cast<uint8_t>(v >> (8 - bits) << (8 - bits)); });
  return mapped(image, {table, table, table});
}

Image solarized(const Image& image, double threshold) {
  const Table table =
      table_of([&](int v) { return static_cast<uint8_t>(v < threshold ? v : 255 - v); });
  return mapped(image, {table, table, table});
}

Image auto_contrasted(const Image& image) { return mapped_by_channel(image, stretching); }

Image equalized(const Image& image) { return mapped_by_channel(image, equalizing); }

}  // namespace inlay
