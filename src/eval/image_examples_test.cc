#include "eval/image_examples.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "data/images/image_store.h"
#include "data/test_files.h"
#include "eval/posed_examples.h"

namespace inlay {
namespace {

constexpr int64_t kWidth = 5, kHeight = 2;
constexpr auto kColumns = static_cast<std::size_t>(kWidth);

// Picture i has 40 i + 3 x + y + channel at (x, y).
class Ramps : public ImageStore {
 public:
  std::size_t size() const override { return 3; }
  Image load(std::size_t index) const override {
    Image image = blank_image(kWidth, kHeight);
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
      std::size_t x = i / 3 % kColumns, y = i / 3 / kColumns;
      image.rgb[i] = static_cast<uint8_t>(40 * index + 3 * x + y + i % 3);
    }
    return image;
  }
  std::string place(std::size_t index) const override { return std::to_string(index); }
};

std::vector<float> pixels_of(const EncodedExample& example) {
  const PixelSource& source = *example.tokens.pixels;
  std::vector<float> pixels(static_cast<std::size_t>(source.size().places()) * 3);
  source.read(pixels.data());
  return pixels;
}

// As they are with their columns in the opposite order.
std::vector<float> turned(const std::vector<float>& pixels) {
  std::vector<float> result(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    std::size_t row = i / (3 * kColumns), x = i / 3 % kColumns;
    result[(row * kColumns + kColumns - 1 - x) * 3 + i % 3] = pixels[i];
  }
  return result;
}

void expect_mixed(const std::vector<float>& found, float share, const std::vector<float>& own,
                  const std::vector<float>& partner) {
  ASSERT_EQ(found.size(), own.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], share * own[i] + (1 - share) * partner[i], 1e-6) << i;
}

class ImageExamples : public testing::Test {
 protected:
  ImageExamples() {
    data_.kind = TaskKind::kImageLabel;
    data_.classes = {"a", "b"};
    data_.images = std::make_shared<Ramps>();
    data_.examples.resize(3);
    for (std::size_t i = 0; i < 3; ++i) data_.examples[i].class_id = static_cast<int32_t>(i % 2);
    encoded_ = encode_images(data_, {.height = kHeight, .width = kWidth});
    all_.reserve(encoded_.size());
    for (const EncodedExample& example : encoded_) all_.push_back(&example);
  }

  std::unique_ptr<Task> task(const Augmentation& how) const {
    return find_task("image-classification")
        .make(data_.classes, 0, {.seed = 5, .augmentation = how});
  }

  Dataset data_;
  std::vector<EncodedExample> encoded_;
  std::vector<const EncodedExample*> all_;
};

constexpr Occasion kFirstEpoch = {.kind = Occasion::Kind::kTraining};
constexpr Occasion kSecondEpoch = {.kind = Occasion::Kind::kTraining, .epoch = 1};

TEST_F(ImageExamples, AreReadAndNormalised) {
  std::vector<float> pixels = pixels_of(encoded_[1]);
  ASSERT_EQ(pixels.size(), 30u);
  EXPECT_FLOAT_EQ(pixels[0], 40 / 255.0f);
  EXPECT_FLOAT_EQ(pixels[29], (40 + 12 + 1 + 2) / 255.0f);
}

TEST_F(ImageExamples, AreMirrored) {
  EncodedExample mirror = mirrored(encoded_[2]);
  EXPECT_TRUE(mirror.mirrored);
  EXPECT_EQ(pixels_of(mirror), turned(pixels_of(encoded_[2])));
  EncodedExample twice = mirrored(mirror);
  EXPECT_FALSE(twice.mirrored);
  EXPECT_EQ(pixels_of(twice), pixels_of(encoded_[2]));
}

TEST_F(ImageExamples, AreMixedInTheShareThatTheTargetHas) {
  EncodedExample both = mixed(encoded_[0], encoded_[1], {.mixup = 1}, 5, 0);
  ASSERT_TRUE(both.mix.has_value());
  EXPECT_EQ(both.source, encoded_[0].source);
  EXPECT_EQ(both.mix->partner, encoded_[1].source);
  EXPECT_GT(both.mix->share, 0);
  EXPECT_LT(both.mix->share, 1);
  expect_mixed(pixels_of(both), both.mix->share, pixels_of(encoded_[0]), pixels_of(encoded_[1]));
}

TEST_F(ImageExamples, AreMixedByRectangles) {
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    EncodedExample both = mixed(encoded_[0], encoded_[1], {.cutmix = 1}, 5, epoch);
    std::vector<float> found = pixels_of(both), own = pixels_of(encoded_[0]);
    std::vector<float> partner = pixels_of(encoded_[1]);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_TRUE(found[i] == own[i] || found[i] == partner[i]) << i;
      kept += found[i] == own[i] ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(kept) / 30, both.mix->share, 1e-6);
  }
}

TEST_F(ImageExamples, AreMixedAnewInEveryEpochAndForEveryPicture) {
  const Augmentation how = {.mixup = 1};
  float share = mixed(encoded_[0], encoded_[1], how, 5, 0).mix->share;
  EXPECT_EQ(mixed(encoded_[0], encoded_[1], how, 5, 0).mix->share, share);
  EXPECT_NE(mixed(encoded_[0], encoded_[1], how, 5, 1).mix->share, share);
  EXPECT_NE(mixed(encoded_[2], encoded_[1], how, 5, 0).mix->share, share);
  EXPECT_NE(mixed(encoded_[0], encoded_[1], how, 6, 0).mix->share, share);
}

TEST_F(ImageExamples, ABatchMixesEachWithTheNext) {
  std::unique_ptr<Task> mixing = task({.mixup = 1});
  PosedExamples posed(*mixing, all_, kFirstEpoch);
  for (std::size_t i = 0; i < 3; ++i) {
    const EncodedExample& example = *posed.all()[i];
    std::size_t next = (i + 1) % 3;
    ASSERT_TRUE(example.mix.has_value());
    EXPECT_EQ(example.source, encoded_[i].source);
    EXPECT_EQ(example.mix->partner, encoded_[next].source);
    expect_mixed(pixels_of(example), example.mix->share, pixels_of(encoded_[i]),
                 pixels_of(encoded_[next]));
  }
}

TEST_F(ImageExamples, APartnerIsMixedInAsItWasPosed) {
  std::unique_ptr<Task> mixing = task({.flip = 1, .mixup = 1});
  PosedExamples posed(*mixing, all_, kSecondEpoch);
  const EncodedExample& example = *posed.all()[0];
  expect_mixed(pixels_of(example), example.mix->share, turned(pixels_of(encoded_[0])),
               turned(pixels_of(encoded_[1])));
}

TEST_F(ImageExamples, NothingIsMixedOutsideTrainingOrAlone) {
  std::unique_ptr<Task> mixing = task({.mixup = 1});
  EXPECT_EQ(PosedExamples(*mixing, all_, {}).all(), all_);
  std::vector<const EncodedExample*> alone{all_[0]};
  EXPECT_EQ(PosedExamples(*mixing, alone, kFirstEpoch).all(), alone);
  std::unique_ptr<Task> plain = task({});
  EXPECT_EQ(PosedExamples(*plain, all_, kFirstEpoch).all(), all_);
}

// A base's folder with this preprocessor_config.json.
class Preprocessors : public testing::Test {
 protected:
  BaseFacts base(const std::string& config) const {
    folder_.write("preprocessor_config.json", config);
    BaseFacts facts;
    facts.images = true;
    facts.folder = folder_.path();
    return facts;
  }

  void expect_refused(const BaseFacts& facts, int64_t image_size, const std::string& part) const {
    try {
      detection_preprocessor_of(facts, image_size);
      ADD_FAILURE() << "no error; expected one with: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  TestFolder folder_;
};

constexpr const char* kCropping =
    R"({"size": {"shortest_edge": 256}, "do_center_crop": true, "crop_size": 224})";

TEST_F(Preprocessors, OfDetectionCutNothingOff) {
  BaseFacts facts = base(kCropping);
  EXPECT_TRUE(preprocessor_of(facts, 0).crops);
  Preprocessor whole = detection_preprocessor_of(facts, 0);
  EXPECT_FALSE(whole.crops);
  EXPECT_TRUE(whole.resizes);
  EXPECT_EQ(whole.shortest_edge, 0);
  EXPECT_EQ(whole.output_height(), 224);
  EXPECT_EQ(whole.output_width(), 224);
  Preprocessor larger = detection_preprocessor_of(facts, 320);
  EXPECT_EQ(larger.output_height(), 320);
  EXPECT_EQ(larger.output_width(), 320);
}

TEST_F(Preprocessors, OfDetectionHaveSidesOfWholeStrides) {
  BaseFacts facts = base(kCropping);
  expect_refused(facts, 100, "images of 100 x 100; boxes are looked for in sides that are");
  expect_refused(facts, 100, "use image_size=96");
  expect_refused(facts, 10, "use image_size=32");
  expect_refused(base(R"({"size": {"height": 240, "width": 240}})"), 0, "use image_size=256");
}

}  // namespace
}  // namespace inlay
