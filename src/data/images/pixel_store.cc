#include "data/images/pixel_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"

namespace inlay {
namespace {

std::string shape_text(const std::vector<int64_t>& sizes) {
  std::string text;
  for (int64_t size : sizes) text += fmt::format("{}{}", text.empty() ? "" : ", ", size);
  return "(" + text + ")";
}

}  // namespace

void PixelStore::add(const std::vector<int64_t>& sizes, std::vector<uint8_t> pixels,
                     std::string place) {
  bool grey = sizes.size() == 3, colour = sizes.size() == 4 && sizes[3] == 3;
  require(grey || colour, ErrorKind::kInput,
          "{}: shape {}; expected pictures (n, height, width) or (n, height, width, 3)", place,
          shape_text(sizes));
  blocks_.push_back({.first = count_,
                     .height = sizes[1],
                     .width = sizes[2],
                     .channels = colour ? 3 : 1,
                     .pixels = std::move(pixels),
                     .place = std::move(place)});
  count_ += static_cast<std::size_t>(sizes[0]);
}

const PixelStore::Block& PixelStore::block_of(std::size_t index) const {
  ensure(index < count_, "picture {} of {}", index, count_);
  auto after =
      std::upper_bound(blocks_.begin(), blocks_.end(), index,
                       [](std::size_t wanted, const Block& block) { return wanted < block.first; });
  return *std::prev(after);
}

Image PixelStore::load(std::size_t index) const {
  const Block& block = block_of(index);
  Image image{.width = block.width, .height = block.height, .rgb = {}};
  auto count = static_cast<std::size_t>(block.width * block.height);
  auto channels = static_cast<std::size_t>(block.channels);
  const uint8_t* src = block.pixels.data() + (index - block.first) * count * channels;
  image.rgb.resize(count * 3);
  for (std::size_t pixel = 0; pixel < count; ++pixel) {
    for (std::size_t c = 0; c < 3; ++c)
      image.rgb[pixel * 3 + c] = src[pixel * channels + (channels == 3 ? c : 0)];
  }
  return image;
}

std::string PixelStore::place(std::size_t index) const {
  const Block& block = block_of(index);
  return fmt::format("{}, item {}", block.place, index - block.first + 1);
}

}  // namespace inlay
