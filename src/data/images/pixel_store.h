// Pictures that lie in memory as arrays of bytes: those of IDX and NPZ files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/images/image_store.h"

namespace inlay {

class PixelStore : public ImageStore {
 public:
  // Adds pictures of shape (n, height, width), grey, or (n, height, width, 3); `place` names the
  // file. kInput for another shape. REQUIRES: as many pixels as the sizes say.
  void add(const std::vector<int64_t>& sizes, std::vector<uint8_t> pixels, std::string place);

  std::size_t size() const override { return count_; }
  Image load(std::size_t index) const override;
  std::string place(std::size_t index) const override;

 private:
  struct Block {
    std::size_t first = 0;  // index of its first picture
    int64_t height = 0, width = 0, channels = 1;
    std::vector<uint8_t> pixels;
    std::string place;
  };
  const Block& block_of(std::size_t index) const;

  std::vector<Block> blocks_;
  std::size_t count_ = 0;
};

}  // namespace inlay
