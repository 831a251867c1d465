#include "image/preprocessor.h"

#include <gtest/gtest.h>

#include "image/test_images.h"

namespace inlay {
namespace {

Preprocessor parse(std::string_view text) {
  return parse_preprocessor(parse_json(text, "p.json"), "p.json");
}

void expect_refused(const std::string& text, std::string_view part) {
  expect_input_error([&] { parse(text); }, part);
}

TEST(Preprocessor, FitsPicturesAsPilAndTransformersDo) {
  const Goldens goldens;
  const Image photo = golden_image("photo.jpg");
  ASSERT_EQ(goldens.cases.at("fitted").size(), 4u);
  for (const Json& golden : goldens.cases.at("fitted")) {
    const Preprocessor preprocessor = parse_preprocessor(golden.at("config"), "cases.json");
    const Image wanted = goldens.expected(golden);
    EXPECT_EQ(preprocessor.output_width(), wanted.width);
    EXPECT_EQ(preprocessor.output_height(), wanted.height);
    expect_same(fitted(photo, preprocessor), wanted, golden.dump());
  }
}

TEST(Preprocessor, HasTheDefaultsOfEachClass) {
  const Preprocessor general = parse("{}");
  EXPECT_EQ(general.output_height(), 224);
  EXPECT_EQ(general.resample, Resample::kBilinear);
  EXPECT_FALSE(general.crops);
  EXPECT_EQ(general.mean[1], 0.5f);
  EXPECT_EQ(general.rescale, 1.0 / 255);

  const Preprocessor deit = parse(R"({"image_processor_type": "DeiTImageProcessor"})");
  EXPECT_EQ(deit.height, 256);
  EXPECT_EQ(deit.output_width(), 224);
  EXPECT_EQ(deit.resample, Resample::kBicubic);

  const Preprocessor mobilenet =
      parse(R"({"image_processor_type": "MobileNetV2ImageProcessorFast"})");
  EXPECT_EQ(mobilenet.shortest_edge, 256);
  EXPECT_EQ(mobilenet.output_width(), 224);
  EXPECT_EQ(mobilenet.resample, Resample::kBilinear);

  const Preprocessor bit = parse(R"({"image_processor_type": "BitImageProcessor"})");
  EXPECT_EQ(bit.shortest_edge, 224);
  EXPECT_EQ(bit.mean[2], 0.40821073f);
  EXPECT_EQ(bit.deviation[0], 0.26862954f);
}

// facebook/dinov2-small.
TEST(Preprocessor, ReadsDinov2) {
  const Preprocessor dino = parse(R"({"crop_size": {"height": 224, "width": 224},
      "do_center_crop": true, "do_convert_rgb": true, "do_normalize": true, "do_rescale": true,
      "do_resize": true, "image_mean": [0.485, 0.456, 0.406],
      "image_processor_type": "BitImageProcessor", "image_std": [0.229, 0.224, 0.225],
      "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}})");
  EXPECT_EQ(dino.shortest_edge, 256);
  EXPECT_EQ(dino.output_height(), 224);
  EXPECT_EQ(dino.resample, Resample::kBicubic);
  EXPECT_EQ(dino.mean, (std::array<float, 3>{0.485f, 0.456f, 0.406f}));
}

// The form of ViT's and DINO's first files.
TEST(Preprocessor, ReadsANumberAsASquareOrAnEdge) {
  const Preprocessor vit = parse(
      R"({"feature_extractor_type": "ViTFeatureExtractor", "size": 384, "do_center_crop": true})");
  EXPECT_EQ(vit.shortest_edge, 0);
  EXPECT_EQ(vit.output_height(), 384);
  EXPECT_FALSE(vit.crops);
  const Preprocessor clip =
      parse(R"({"feature_extractor_type": "CLIPFeatureExtractor", "size": 300, "crop_size": 280})");
  EXPECT_EQ(clip.shortest_edge, 300);
  EXPECT_EQ(clip.output_width(), 280);
}

TEST(Preprocessor, CropsBelow384WhereConvnextDoes) {
  const Preprocessor small = parse(R"({"feature_extractor_type": "ConvNextFeatureExtractor",
      "crop_pct": 0.875, "size": 224, "resample": 3})");
  EXPECT_EQ(small.shortest_edge, 256);
  EXPECT_EQ(small.output_height(), 224);
  const Preprocessor uneven = parse(R"({"image_processor_type": "ConvNextImageProcessor",
      "crop_pct": null, "size": {"shortest_edge": 223}})");
  EXPECT_EQ(uneven.shortest_edge, 254);  // of 254.86
  EXPECT_EQ(uneven.output_width(), 223);
  const Preprocessor large = parse(R"({"image_processor_type": "ConvNextImageProcessor"})");
  EXPECT_EQ(large.shortest_edge, 0);
  EXPECT_EQ(large.output_width(), 384);
  EXPECT_FALSE(large.crops);
}

TEST(Preprocessor, RefusesWhatHasNoFixedSize) {
  expect_refused(R"({"size": {"shortest_edge": 256}})", "a base reads one size");
  expect_refused(R"({"do_resize": false})", "a base reads one size");
  EXPECT_EQ(parse(R"({"do_resize": false, "do_center_crop": true})").output_width(), 224);
}

TEST(Preprocessor, RefusesNumbersOutOfBounds) {
  expect_refused(R"({"size": 0})", "a side in \"size\" is 0; expected 1 to 4096");
  expect_refused(R"({"size": 18446744073709551615})", "expected 1 to 4096");
  expect_refused(R"({"size": [224, 4097]})", "a side in \"size\" is 4097");
  expect_refused(R"({"size": {"longest_edge": 224}})", "expected a number");
  expect_refused(R"({"do_center_crop": true, "crop_size": {"shortest_edge": 3}})", "crop_size");
  expect_refused(R"({"image_std": [0.2, 0, 0.2]})", "\"image_std\" has 0;");
  expect_refused(R"({"image_mean": [0.2, 0.3]})", "\"image_mean\" has 2 numbers; expected 3");
  expect_refused(R"({"image_mean": "x"})", "\"image_mean\" has \"x\"");
  expect_refused(R"({"rescale_factor": 0})", "\"rescale_factor\" is 0");
  expect_refused(R"({"resample": 9})", "\"resample\" is 9");
  expect_refused(R"({"do_resize": 1})", "expected true or false");
  expect_refused(R"({"do_flip_channel_order": true})", "not supported");
  expect_refused("[]", "expected a JSON object");
}

TEST(Preprocessor, SaysWhichFileIsMissing) {
  expect_input_error([] { read_preprocessor("/nowhere"); },
                     "/nowhere/preprocessor_config.json is missing");
}

TEST(Preprocessor, NormalisesWithTheScaleFirst) {
  const Preprocessor preprocessor =
      parse(R"({"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]})");
  Image image = blank_image(2, 1);
  image.rgb = {0, 128, 255, 255, 0, 64};
  std::vector<float> pixels(6);
  normalise(image, preprocessor, pixels.data());
  const std::vector<float> wanted = {-2.1179039f, 0.2051821f,  2.64f,
                                     2.2489083f,  -2.0357141f, -0.6889759f};
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(pixels[i], wanted[i], 1e-6) << i;
}

TEST(Preprocessor, LeavesBytesAsTheyAreWhereNothingIsToBeDone) {
  const Preprocessor preprocessor = parse(R"({"do_rescale": false, "do_normalize": false})");
  Image image = blank_image(1, 1);
  image.rgb = {0, 7, 255};
  std::vector<float> pixels(3);
  normalise(image, preprocessor, pixels.data());
  EXPECT_EQ(pixels, (std::vector<float>{0, 7, 255}));
}

TEST(Preprocessor, IsTheSameWrittenAndReadAgain) {
  for (const char* text :
       {"{}", R"({"size": {"height": 32, "width": 48}, "image_mean": [0.485, 0.456, 0.406]})",
        R"({"image_processor_type": "BitImageProcessor", "resample": 1})",
        R"({"image_processor_type": "DeiTImageProcessor", "do_rescale": false})",
        R"({"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}})",
        R"({"do_resize": false, "do_center_crop": true, "crop_size": 32})"}) {
    const Json written = preprocessor_json(parse(text));
    EXPECT_EQ(preprocessor_json(parse_preprocessor(written, "again")), written) << text;
  }
  EXPECT_EQ(preprocessor_json(parse(R"({"image_mean": 0.485})")).at("image_mean").dump(),
            "[0.485,0.485,0.485]");
}

}  // namespace
}  // namespace inlay
