#include <gtest/gtest.h>

#include "image/image.h"
#include "image/test_images.h"

namespace inlay {
namespace {

TEST(DecodeImage, GivesThePixelsOfPilForEveryForm) {
  const Goldens goldens;
  ASSERT_EQ(goldens.cases.at("decode").size(), 30u);
  for (const Json& golden : goldens.cases.at("decode")) {
    const auto file = golden.at("file").get<std::string>();
    expect_same(golden_image(file), goldens.expected(golden), file);
  }
}

TEST(DecodeImage, RefusesWhatIsCutOffAnywhere) {
  for (const char* file : {"rgb.jpg", "progressive.jpg", "rgb.png", "interlaced.png", "lossy.webp",
                           "lossless.webp", "alpha.webp"}) {
    const std::string bytes = golden_file(file);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      SCOPED_TRACE(testing::Message() << file << " cut to " << size);
      expect_input_error([&] { decode_image(bytes.substr(0, size), "cut"); }, "cut: ");
    }
  }
}

TEST(DecodeImage, RefusesDamagedPixels) {
  std::string bytes = golden_file("rgb.png");
  bytes[bytes.size() / 2] ^= 1;
  expect_input_error([&] { decode_image(bytes, "a.png"); }, "a.png: a truncated or corrupt PNG: ");
}

TEST(DecodeImage, NamesTheFormatsWhereItKnowsNone) {
  expect_input_error([] { decode_image("GIF89a", "a.gif"); },
                     "a.gif: not an image that is known here: it begins with 47 49 46 38 39 61; "
                     "JPEG, PNG and WebP are read");
  expect_input_error([] { decode_image("", "a.png"); }, "the file is empty");
  expect_input_error([] { decode_image(golden_file("cmyk.jpg"), "x"); }, "CMYK");
  expect_input_error([] { decode_image(golden_file("animated.webp"), "x"); }, "animated");
}

TEST(DecodeImage, KeepsToTheLimits) {
  for (const char* file : {"rgb.jpg", "rgb.png", "lossy.webp"}) {
    const std::string bytes = golden_file(file);
    expect_input_error([&] { decode_image(bytes, file, {.side = 16}); }, "at most 16 a side");
    expect_input_error([&] { decode_image(bytes, file, {.pixels = 220}); }, "220 in all");
  }
  EXPECT_EQ(decode_image(golden_file("rgb.png"), "x", {.side = 17, .pixels = 221}).width, 17);
}

TEST(DecodeImage, RefusesHugeSizesBeforeItAllocates) {
  std::string png = golden_file("rgb.png");
  png.replace(16, 8, 8, '\xff');
  expect_input_error([&] { decode_image(png, "x"); }, "4294967295 x 4294967295 pixels");
  png.replace(16, 4, 4, '\0');
  expect_input_error([&] { decode_image(png, "x"); }, "0 x 4294967295 pixels");
  std::string jpeg = golden_file("rgb.jpg");
  const std::size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, 4, '\xff');
  expect_input_error([&] { decode_image(jpeg, "x"); }, "65535 x 65535 pixels");
}

TEST(EncodePng, IsReadBackAsItWas) {
  const Image image = golden_image("rgb.png");
  expect_same(decode_image(encode_png(image), "again"), image, "again");
}

}  // namespace
}  // namespace inlay
