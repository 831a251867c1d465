// Sequences that tests draw: ragged texts, or images of noise.
#pragma once

#include <memory>
#include <vector>

#include "base/random.h"
#include "models/pixel_source.h"
#include "models/token_batch.h"
#include "nn/base_facts.h"

namespace inlay {

// Ragged rows of 3 to 9 tokens.
inline std::vector<TokenSequence> drawn_texts(const BaseFacts& facts, std::size_t count) {
  std::vector<TokenSequence> rows(count);
  Stream stream(7, "contract/tokens");
  for (std::size_t i = 0; i < count; ++i) {
    for (uint64_t t = 0; t < 3 + (i * 5) % 7; ++t) {
      rows[i].ids.push_back(
          static_cast<int32_t>(stream.below(static_cast<uint64_t>(facts.vocabulary), 64 * i + t)));
      rows[i].types.push_back(0);
    }
  }
  return rows;
}

// One of the drawn images of a size.
class DrawnPixels : public PixelSource {
 public:
  DrawnPixels(MapSize size, uint64_t number) : size_(size), number_(number) {}
  MapSize size() const override { return size_; }
  void read(float* pixels) const override {
    Stream stream(7, "contract/pixels");
    auto count = static_cast<uint64_t>(size_.places()) * 3;
    for (uint64_t i = 0; i < count; ++i) pixels[i] = stream.normal(number_ * count + i);
  }

 private:
  MapSize size_;
  uint64_t number_;
};

inline std::vector<TokenSequence> drawn_images(const BaseFacts& facts, std::size_t count) {
  MapSize size = facts.image_size.places() > 0 ? facts.image_size : MapSize{16, 16};
  std::vector<TokenSequence> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i].pixels = std::make_shared<DrawnPixels>(size, i);
  return rows;
}

inline std::vector<TokenSequence> test_sequences(const BaseFacts& facts, std::size_t count) {
  return facts.images ? drawn_images(facts, count) : drawn_texts(facts, count);
}

}  // namespace inlay
