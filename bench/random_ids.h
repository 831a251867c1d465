// Token ids that nobody chose, the same in every run.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace inlay {

class RandomIds {
 public:
  explicit RandomIds(int64_t vocabulary) : vocabulary_(static_cast<uint64_t>(vocabulary)) {}

  // The next `count` ids, each below the vocabulary.
  std::vector<int32_t> draw(int64_t count) {
    std::vector<int32_t> ids;
    for (int64_t i = 0; i < count; ++i)
      ids.push_back(static_cast<int32_t>(stream_.below(vocabulary_, drawn_++)));
    return ids;
  }

 private:
  Stream stream_{1, "ids"};
  uint64_t vocabulary_, drawn_ = 0;
};

}  // namespace inlay
