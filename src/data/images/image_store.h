// The pictures of a data set, read one by one when they are needed.
#pragma once

#include <cstddef>
#include <string>

#include "image/image.h"

namespace inlay {

class ImageStore {
 public:
  virtual ~ImageStore() = default;
  virtual std::size_t size() const = 0;
  // May be called by several threads at once. A picture that cannot be read is kInput naming it.
  virtual Image load(std::size_t index) const = 0;
  // "cats/12.png", "train-images-idx3-ubyte.gz, item 12".
  virtual std::string place(std::size_t index) const = 0;
};

}  // namespace inlay
