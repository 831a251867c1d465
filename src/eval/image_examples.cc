#include "eval/image_examples.h"

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <string>
#include <utility>

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

}  // namespace

Preprocessor preprocessor_of(const BaseFacts& base, int64_t image_size) {
  require(base.images, ErrorKind::kUsage,
          "{}: the base reads texts, and the task is about images; use a base such as one of "
          "model_type vit, resnet or mobilenet_v2",
          base.folder.string());
  Preprocessor preprocessor = read_preprocessor(base.folder);
  if (image_size > 0) {
    preprocessor.resizes = true;
    preprocessor.crops = false;
    preprocessor.shortest_edge = 0;
    preprocessor.height = preprocessor.width = image_size;
  }
  MapSize size{preprocessor.output_height(), preprocessor.output_width()};
  require(base.image_size.places() == 0 || base.image_size == size, ErrorKind::kUsage,
          "images of {} x {}, and the base has positions for {} x {}; {}", size.height, size.width,
          base.image_size.height, base.image_size.width,
          image_size > 0 ? "leave image_size out" : "its preprocessor_config.json is another's");
  return preprocessor;
}

void check_pictures(const Dataset& data) {
  auto count = static_cast<int64_t>(data.images->size());
  std::vector<std::string> failures(data.images->size());
#pragma omp parallel for schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) {
    auto own = static_cast<std::size_t>(i);
    try {
      data.images->load(own);
    } catch (const std::exception& error) {
      failures[own] = error.what();
    }
  }
  for (const std::string& failure : failures)
    require(failure.empty(), ErrorKind::kInput, "{}", failure);
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
  EncodedExample seen = example;
  const auto& picture = static_cast<const Picture&>(*example.tokens.pixels);
  seen.tokens.pixels = picture.changed(how, seed, epoch);
  return seen;
}

}  // namespace inlay
