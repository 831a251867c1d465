// A set of byte strings with a number each, asked for the longest one that begins a text.
//
//   ByteTrie trie;
//   trie.insert("new", 1);
//   trie.insert("newer", 2);
//   trie.longest_prefix("newest");  // {3, 1}
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/flat_map.h"

namespace inlay::text {

class ByteTrie {
 public:
  struct Hit {
    uint32_t length;  // 0: nothing found
    int32_t value;
  };

  // The first of equal strings counts. Empty strings are never found. REQUIRES: value >= 0.
  void insert(std::string_view key, int32_t value) {
    uint32_t node = 0;
    for (char c : key) {
      uint32_t& next = edges_[edge(node, c)];
      if (next == 0) {
        next = static_cast<uint32_t>(values_.size());
        values_.push_back(-1);
      }
      node = next;
    }
    if (values_[node] < 0) values_[node] = value;
  }

  bool empty() const { return values_.size() == 1; }

  // Calls `visit(length, value)` for each string that begins `text`, the shortest first.
  template <class Visit>
  void for_each_prefix(std::string_view text, Visit visit) const {
    uint32_t node = 0;
    for (uint32_t length = 0; length < text.size();) {
      const uint32_t* next = edges_.find(edge(node, text[length]));
      if (next == nullptr) return;
      node = *next;
      ++length;
      if (values_[node] >= 0) visit(length, values_[node]);
    }
  }

  Hit longest_prefix(std::string_view text) const {
    return longest_prefix(text, [](int32_t) { return true; });
  }

  // The longest one whose value is accepted.
  template <class Accepts>
  Hit longest_prefix(std::string_view text, Accepts accepts) const {
    Hit best{0, -1};
    for_each_prefix(text, [&](uint32_t length, int32_t value) {
      if (accepts(value)) best = {length, value};
    });
    return best;
  }

 private:
  static uint64_t edge(uint32_t node, char c) {
    return uint64_t{node} << 8 | static_cast<uint8_t>(c);
  }

  FlatMap<uint32_t> edges_;             // (node, byte) to node; node 0 is the root
  std::vector<int32_t> values_ = {-1};  // by node, -1 where no string ends
};

}  // namespace inlay::text
