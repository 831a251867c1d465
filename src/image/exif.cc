#include "image/exif.h"

#include <algorithm>

#include "image/byte_order.h"

namespace inlay {
namespace {

constexpr std::string_view kPrefix("Exif\0\0", 6);  // some writers of WebP leave it in
constexpr uint32_t kOrientation = 0x0112, kShort = 3;

// A TIFF file whose numbers are of the order that its first two bytes name.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), big_(bytes.starts_with("MM")) {}

  bool is_whole() const {
    return (big_ || bytes_.starts_with("II")) && has(0, 8) && number(2, 2) == 42;
  }
  bool has(std::size_t at, std::size_t count) const { return at + count <= bytes_.size(); }
  // REQUIRES: has(at, count)
  uint32_t number(std::size_t at, std::size_t count) const {
    const std::string_view part = bytes_.substr(at, count);
    return big_ ? from_big_endian(part) : from_little_endian(part);
  }

 private:
  std::string_view bytes_;
  bool big_;
};

}  // namespace

int exif_orientation(std::string_view exif) {
  if (exif.starts_with(kPrefix)) exif.remove_prefix(kPrefix.size());
  const Tiff tiff(exif);
  if (!tiff.is_whole()) return 1;
  const std::size_t folder = tiff.number(4, 4);
  if (!tiff.has(folder, 2)) return 1;
  const std::size_t entries = tiff.number(folder, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    // An entry: tag, type, count, value, of 2, 2, 4 and 4 bytes.
    const std::size_t at = folder + 2 + 12 * i;
    if (!tiff.has(at, 12)) return 1;
    if (tiff.number(at, 2) != kOrientation) continue;
    const uint32_t value = tiff.number(at + 8, 2);
    const bool is_known = tiff.number(at + 2, 2) == kShort && value >= 1 && value <= 8;
    return is_known ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation == 1) return image;
  const bool swaps = orientation >= 5;
  const bool mirrors_x = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool mirrors_y =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned =
      swaps ? blank_image(image.height, image.width) : blank_image(image.width, image.height);
  uint8_t* dst = turned.rgb.data();
  for (int64_t y = 0; y < turned.height; ++y) {
    for (int64_t x = 0; x < turned.width; ++x, dst += 3) {
      const int64_t column = swaps ? y : x, row = swaps ? x : y;
      const int64_t src_x = mirrors_x ? image.width - 1 - column : column;
      const int64_t src_y = mirrors_y ? image.height - 1 - row : row;
      std::copy_n(image.rgb.data() + (src_y * image.width + src_x) * 3, 3, dst);
    }
  }
  return turned;
}

}  // namespace inlay
