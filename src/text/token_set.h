// A set of token ids.
#pragma once

#include <cstdint>
#include <vector>

namespace inlay::text {

class TokenSet {
 public:
  // REQUIRES: id >= 0.
  void add(int32_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= members_.size()) members_.resize(index + 1, false);
    members_[index] = true;
  }
  bool contains(int32_t id) const {
    return static_cast<std::size_t>(id) < members_.size() && members_[static_cast<std::size_t>(id)];
  }

 private:
  std::vector<bool> members_;  // by id
};

}  // namespace inlay::text
