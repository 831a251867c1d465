#include "tensor/shape.h"

#include "base/error.h"

namespace inlay {

Shape::Shape(std::span<const int64_t> sizes) : rank_(static_cast<int>(sizes.size())) {
  require(sizes.size() <= kMaxRank, ErrorKind::kInput,
          "a tensor of rank {} was found; at most {} dimensions are supported", sizes.size(),
          kMaxRank);
  int64_t product = 1;
  bool empty = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    require(sizes[i] >= 0, ErrorKind::kInput, "a tensor size is {}; expected 0 or more", sizes[i]);
    sizes_[i] = sizes[i];
    empty = empty || sizes[i] == 0;
    if (!empty) {
      require(!__builtin_mul_overflow(product, sizes[i], &product), ErrorKind::kInput,
              "the sizes of a tensor multiply to more than 2^63");
    }
  }
}

int64_t Shape::count() const {
  int64_t product = 1;
  for (int64_t size : sizes()) product *= size;
  return product;
}

std::string Shape::text() const {
  std::string text = "(";
  for (int i = 0; i < rank_; ++i) text += fmt::format("{}{}", i > 0 ? ", " : "", (*this)[i]);
  return text + ")";
}

}  // namespace inlay
