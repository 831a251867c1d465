// Tokens and their ids, both ways. Ids may have gaps; a token or an id that appears twice is an
// Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/component.h"
#include "text/flat_map.h"

namespace inlay::text {

// The largest id that is accepted; published vocabularies end below 300,000.
inline constexpr int64_t kMaxTokenId = (int64_t{1} << 24) - 1;
// Longer tokens are refused, so that a hostile vocabulary cannot make look-ups slow.
inline constexpr std::size_t kMaxTokenBytes = 4096;

// An id read from JSON, checked against kMaxTokenId.
int32_t read_token_id(const Json& value, const std::string& place);

class Vocabulary {
 public:
  Vocabulary() = default;
  // The member "vocab" of a model: {"token": id, ...}.
  explicit Vocabulary(const Component& model);

  void add(std::string_view token, int32_t id, const std::string& place);

  std::optional<int32_t> id(std::string_view token) const;
  std::optional<std::string_view> token(int32_t id) const;
  std::size_t size() const { return entries_.size(); }
  int32_t max_id() const { return static_cast<int32_t>(by_id_.size()) - 1; }

  // The i-th token that was added, for walks in a fixed order.
  std::string_view token_at(std::size_t i) const { return view(entries_[i]); }
  int32_t id_at(std::size_t i) const { return entries_[i].id; }

 private:
  struct Entry {
    std::size_t begin;  // in bytes_
    uint32_t length;
    int32_t id;
    uint32_t next_of_hash;  // index + 1 of another entry of the same hash, 0 at the end
  };
  std::string_view view(const Entry& entry) const {
    return std::string_view(bytes_).substr(entry.begin, entry.length);
  }

  std::string bytes_;  // all tokens, end to end
  std::vector<Entry> entries_;
  FlatMap<uint32_t> by_hash_;    // index + 1 of the newest entry of that hash
  std::vector<uint32_t> by_id_;  // index + 1, 0 in gaps
};

}  // namespace inlay::text
