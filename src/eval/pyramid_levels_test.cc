#include "eval/pyramid_levels.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/source_dir.h"
#include "eval/detection_places.h"
#include "models/noise_picture.h"

namespace inlay {
namespace {

std::shared_ptr<const Model> tiny(const std::string& name) {
  return load_model(source_dir() / "tests/golden/models" / name);
}

// Two pictures of this size.
class Pictures {
 public:
  explicit Pictures(MapSize size) {
    for (std::size_t i = 0; i < 2; ++i) sequences_.at(i).pixels = noise_picture(size, i);
    const std::array<const TokenSequence*, 2> both = {&sequences_[0], &sequences_[1]};
    batch = make_token_batch(both, {});
  }
  TokenBatch batch;

 private:
  std::array<TokenSequence, 2> sequences_;
};

class SitesSeen : public Tap {
 public:
  void see(const Site& site, const Variable& value) override {
    ++sites;
    if (site.role == SiteRole::kLayerOutput) last = value;
  }
  int sites = 0;
  Variable last;
};

TEST(PyramidLevels, HaveTheirMapsOfEveryKindOfBase) {
  for (const char* name : {"resnet-basic-image", "resnet-bottleneck-image", "mobilenet-v2-image",
                           "mobilenet-v2-dilated-image", "convnext-image", "dinov2-image"}) {
    SCOPED_TRACE(name);
    auto model = tiny(name);
    std::vector<int64_t> channels = level_channels(*model);
    MapSize size = {64, 96};
    Pictures pictures(size);
    Context context(DType::kF32);
    context.tape.set_recording(false);
    std::vector<Variable> levels = pyramid_levels(context, *model, pictures.batch);
    ASSERT_EQ(levels.size(), kLevelStrides.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
      EXPECT_EQ(levels[i].row_space()->map, level_maps(size).at(i));
      EXPECT_EQ(levels[i].rows(), 2 * level_maps(size).at(i).places());
      EXPECT_EQ(levels[i].channels(), channels.at(i));
    }
    EXPECT_EQ(context.tap, nullptr);
  }
}

TEST(PyramidLevels, AreTheLastLayersOfTheirSize) {
  // Stages of 16 channels at stride 8 and of 24 at 16; blocks of 4, 12 and 40 channels.
  EXPECT_EQ(level_channels(*tiny("resnet-basic-image")), (std::vector<int64_t>{16, 24, 24}));
  EXPECT_EQ(level_channels(*tiny("mobilenet-v2-image")), (std::vector<int64_t>{4, 12, 40}));
}

TEST(PyramidLevels, LetAnotherTapSeeEverything) {
  auto model = tiny("resnet-basic-image");
  Pictures pictures({32, 32});
  Context context(DType::kF32);
  context.tape.set_recording(false);
  SitesSeen alone, beside;
  context.tap = &alone;
  model->encode(context, pictures.batch);
  context.tap = &beside;
  std::vector<Variable> levels = pyramid_levels(context, *model, pictures.batch);
  EXPECT_EQ(context.tap, &beside);
  EXPECT_GT(alone.sites, 0);
  EXPECT_EQ(beside.sites, alone.sites);
  EXPECT_TRUE(levels[1].same_as(beside.last));
}

TEST(PyramidLevels, RefusePicturesOfBrokenCells) {
  auto model = tiny("resnet-basic-image");
  Pictures pictures({40, 64});
  Context context(DType::kF32);
  EXPECT_THROW(pyramid_levels(context, *model, pictures.batch), Error);
  EXPECT_EQ(context.tap, nullptr);
  // Its positions are for pictures of 12 x 12.
  EXPECT_THROW(level_channels(*tiny("vit-image")), Error);
}

}  // namespace
}  // namespace inlay
