#include "image/exif.h"

#include <gtest/gtest.h>

#include "image/test_images.h"

namespace inlay {
namespace {

std::string little_endian(char value, char type = 3) {
  return std::string("II\x2a\0\x08\0\0\0\x01\0\x12\x01", 12) + type +
         std::string("\0\x01\0\0\0", 5) + value + std::string(7, '\0');
}

std::string big_endian(char value) {
  return std::string("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", 19) + value +
         std::string(6, '\0');
}

TEST(ExifOrientation, IsReadInBothOrdersOfBytes) {
  for (char value = 1; value <= 8; ++value) {
    EXPECT_EQ(exif_orientation(little_endian(value)), value);
    EXPECT_EQ(exif_orientation(big_endian(value)), value);
    EXPECT_EQ(exif_orientation(std::string("Exif\0\0", 6) + big_endian(value)), value);
  }
}

TEST(ExifOrientation, IsOneWhereNothingSaysOtherwise) {
  EXPECT_EQ(exif_orientation(""), 1);
  EXPECT_EQ(exif_orientation("no TIFF at all"), 1);
  EXPECT_EQ(exif_orientation(little_endian(9)), 1);
  EXPECT_EQ(exif_orientation(little_endian(0)), 1);
  EXPECT_EQ(exif_orientation(little_endian(6, 4)), 1);
  const std::string whole = little_endian(6);
  for (std::size_t size = 0; size < 22; ++size)
    EXPECT_EQ(exif_orientation(whole.substr(0, size)), 1) << size;
  std::string far = whole;
  far.replace(4, 4, 4, '\xff');
  EXPECT_EQ(exif_orientation(far), 1);
}

// 1 2 3    as each orientation has it shown
// 4 5 6
TEST(Upright, PutsTheFirstPixelWhereItBelongs) {
  const Image wide = [] {
    Image image = grey_row({1, 2, 3, 4, 5, 6});
    image.width = 3;
    image.height = 2;
    return image;
  }();
  const std::vector<std::vector<uint8_t>> shown = {
      {1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
      {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image turned = upright(wide, orientation);
    EXPECT_EQ(turned.width, orientation < 5 ? 3 : 2);
    EXPECT_EQ(turned.height, orientation < 5 ? 2 : 3);
    EXPECT_EQ(turned.rgb, grey_row(shown[static_cast<std::size_t>(orientation - 1)]).rgb)
        << orientation;
  }
}

}  // namespace
}  // namespace inlay
