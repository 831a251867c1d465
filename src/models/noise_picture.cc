#include "models/noise_picture.h"

#include "base/random.h"

namespace inlay {
namespace {

constexpr MapSize kUsual = {224, 224};

class Noise : public PixelSource {
 public:
  Noise(MapSize size, uint64_t seed) : size_(size), stream_(seed, "pixels") {}
  MapSize size() const override { return size_; }
  void read(float* pixels) const override {
    for (int64_t i = 0; i < 3 * size_.places(); ++i)
      pixels[i] = 2 * stream_.uniform(static_cast<uint64_t>(i)) - 1;
  }

 private:
  MapSize size_;
  Stream stream_;
};

}  // namespace

std::shared_ptr<const PixelSource> noise_picture(MapSize size, uint64_t seed) {
  return std::make_shared<Noise>(size.places() > 0 ? size : kUsual, seed);
}

}  // namespace inlay
