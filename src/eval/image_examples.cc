#include "eval/image_examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "image/mixing.h"

namespace inlay {
namespace {

// A picture on its way into a base.
class Picture : public PixelSource {
 public:
  Picture(std::shared_ptr<const ImageStore> store, std::size_t index,
          std::shared_ptr<const Preprocessor> preprocessor)
      : store_(std::move(store)), index_(index), preprocessor_(std::move(preprocessor)) {}

  MapSize size() const override {
    return {preprocessor_->output_height(), preprocessor_->output_width()};
  }

  void read(float* pixels) const override {
    Image image = store_->load(index_);
    if (change_.has_value()) {
      image = inlay::augmented(image, change_->how, change_->stream, preprocessor_->output_width(),
                               preprocessor_->output_height(), preprocessor_->resample);
    }
    bool fits = image.width == preprocessor_->output_width() &&
                image.height == preprocessor_->output_height();
    normalise(fits ? image : fitted(image, *preprocessor_), *preprocessor_, pixels);
  }

  std::shared_ptr<const Picture> changed(const Augmentation& how, uint64_t seed,
                                         int64_t epoch) const {
    auto other = std::make_shared<Picture>(*this);
    other->change_.emplace(Change{how, Stream(seed, fmt::format("augment/{}/{}", epoch, index_))});
    return other;
  }

 private:
  struct Change {
    Augmentation how;
    Stream stream;
  };

  std::shared_ptr<const ImageStore> store_;
  std::size_t index_;
  std::shared_ptr<const Preprocessor> preprocessor_;
  std::optional<Change> change_;
};

std::size_t number_count(MapSize size) { return static_cast<std::size_t>(size.places()) * 3; }

class MirroredPicture : public PixelSource {
 public:
  explicit MirroredPicture(std::shared_ptr<const PixelSource> picture)
      : picture_(std::move(picture)) {}

  MapSize size() const override { return picture_->size(); }

  void read(float* pixels) const override {
    picture_->read(pixels);
    const int64_t width = size().width;
    for (int64_t y = 0; y < size().height; ++y) {
      float* row = pixels + y * width * 3;
      for (int64_t x = 0; x < width / 2; ++x)
        std::swap_ranges(row + x * 3, row + x * 3 + 3, row + (width - 1 - x) * 3);
    }
  }

 private:
  std::shared_ptr<const PixelSource> picture_;
};

class MixedPicture : public PixelSource {
 public:
  MixedPicture(std::shared_ptr<const PixelSource> picture,
               std::shared_ptr<const PixelSource> partner, const Blend& how)
      : picture_(std::move(picture)), partner_(std::move(partner)), how_(how) {}

  MapSize size() const override { return picture_->size(); }

  void read(float* pixels) const override {
    std::vector<float> partner(number_count(size()));
    partner_->read(partner.data());
    picture_->read(pixels);
    blend(how_, size().width, partner, {pixels, partner.size()});
  }

 private:
  std::shared_ptr<const PixelSource> picture_, partner_;
  Blend how_;
};

void squash(Preprocessor& preprocessor, int64_t height, int64_t width) {
  preprocessor.resizes = true;
  preprocessor.crops = false;
  preprocessor.shortest_edge = 0;
  preprocessor.height = height;
  preprocessor.width = width;
}

}  // namespace

Preprocessor preprocessor_of(const BaseFacts& base, int64_t image_size) {
  require(base.images, ErrorKind::kUsage,
          "{}: the base reads texts, and the task is about images; use a base such as one of "
          "model_type vit, resnet or mobilenet_v2",
          base.folder.string());
  Preprocessor preprocessor = read_preprocessor(base.folder);
  if (image_size > 0) squash(preprocessor, image_size, image_size);
  MapSize size{preprocessor.output_height(), preprocessor.output_width()};
  require(base.image_size.places() == 0 || base.image_size == size, ErrorKind::kUsage,
          "images of {} x {}, and the base has positions for {} x {}; {}", size.height, size.width,
          base.image_size.height, base.image_size.width,
          image_size > 0 ? "leave image_size out" : "its preprocessor_config.json is another's");
  return preprocessor;
}

Preprocessor detection_preprocessor_of(const BaseFacts& base, int64_t image_size) {
  constexpr int64_t kWidestStride = 32;
  Preprocessor preprocessor = preprocessor_of(base, image_size);
  squash(preprocessor, preprocessor.output_height(), preprocessor.output_width());
  int64_t side = std::min(preprocessor.height, preprocessor.width);
  int64_t nearest = std::max<int64_t>(1, (side + kWidestStride / 2) / kWidestStride);
  require(preprocessor.height % kWidestStride == 0 && preprocessor.width % kWidestStride == 0,
          ErrorKind::kUsage,
          "images of {} x {}; boxes are looked for in sides that are multiples of {}; use "
          "image_size={}",
          preprocessor.height, preprocessor.width, kWidestStride, nearest * kWidestStride);
  return preprocessor;
}

Preprocessor preprocessor_for(TaskKind kind, const BaseFacts& base, int64_t image_size) {
  return kind == TaskKind::kImageBoxes ? detection_preprocessor_of(base, image_size)
                                       : preprocessor_of(base, image_size);
}

std::vector<EncodedExample> encode_images(const Dataset& data, const Preprocessor& preprocessor) {
  auto shared = std::make_shared<const Preprocessor>(preprocessor);
  std::vector<EncodedExample> encoded(data.examples.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    encoded[i].source = &data.examples[i];
    encoded[i].index = i;
    encoded[i].tokens.pixels = std::make_shared<Picture>(data.images, i, shared);
  }
  return encoded;
}

EncodedExample augmented(const EncodedExample& example, const Augmentation& how, uint64_t seed,
                         int64_t epoch) {
  const auto* picture = dynamic_cast<const Picture*>(example.tokens.pixels.get());
  ensure(picture != nullptr, "a picture is changed that was mirrored or mixed before");
  EncodedExample seen = example;
  seen.tokens.pixels = picture->changed(how, seed, epoch);
  return seen;
}

EncodedExample mirrored(const EncodedExample& example) {
  EncodedExample seen = example;
  seen.tokens.pixels = std::make_shared<MirroredPicture>(example.tokens.pixels);
  seen.mirrored = !example.mirrored;
  return seen;
}

EncodedExample mixed(const EncodedExample& example, const EncodedExample& partner,
                     const Augmentation& how, uint64_t seed, int64_t epoch) {
  const MapSize size = example.tokens.pixels->size();
  ensure(size == partner.tokens.pixels->size(), "pictures of {} x {} and {} x {} are mixed",
         size.height, size.width, partner.tokens.pixels->size().height,
         partner.tokens.pixels->size().width);
  const Stream stream(seed, fmt::format("mix/{}/{}", epoch, example.index));
  const Blend blend = drawn_blend(how, stream, size.width, size.height);
  EncodedExample seen = example;
  seen.tokens.pixels =
      std::make_shared<MixedPicture>(example.tokens.pixels, partner.tokens.pixels, blend);
  seen.mix = Mix{partner.source, blend.share};
  return seen;
}

void refuse_mixing(const Augmentation& how, const std::string& task) {
  require(!how.mixes(), ErrorKind::kUsage,
          "mixup and cutmix mix the classes of two pictures, and {} has none to mix; leave them "
          "out of augment",
          task);
}

}  // namespace inlay
