#include "data/chat/loss_mask.h"

#include <algorithm>
#include <utility>

#include "data/characters.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Bytes of a text as characters, fast for bytes near the one asked for before.
class CharacterPlaces {
 public:
  explicit CharacterPlaces(std::string_view text) : text_(text) {}

  std::int64_t of(std::size_t byte) {
    if (byte >= byte_) {
      character_ += character_count(text_.substr(byte_, byte - byte_));
    } else {
      character_ -= character_count(text_.substr(byte, byte_ - byte));
    }
    byte_ = byte;
    return character_;
  }

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::int64_t character_ = 0;
};

class MaskMaker {
 public:
  MaskMaker(std::string_view text, const Encoding& encoding,
            std::span<const std::int32_t> special_ids)
      : text_(text), encoding_(encoding), special_ids_(special_ids), places_(text) {
    mask_.in_loss.assign(encoding.size(), 0);
  }

  void add(const TurnExtent& extent) {
    std::size_t after = mark(extent.begin, extent.end);
    if (ends_itself(extent, after) || mark_special(after, extent)) return;
    std::string_view tail = text_.substr(extent.end, extent.tail_end - extent.end);
    std::string_view line = tail.substr(0, tail.find('\n'));
    if (trimmed(line).empty()) {
      mask_.open_turns.push_back(after);
    } else {
      mark(extent.end, extent.end + line.size());
    }
  }

  LossMask take() { return std::move(mask_); }

 private:
  bool is_special(std::size_t token) const {
    return std::binary_search(special_ids_.begin(), special_ids_.end(), encoding_.ids[token]);
  }

  // The first token that does not end before `character`; an empty token is where it stands.
  std::size_t first_token(std::int64_t character) const {
    auto before = [&](const std::pair<std::int32_t, std::int32_t>& offsets) {
      return offsets.second < character ||
             (offsets.second == character && offsets.first < character);
    };
    auto found = std::partition_point(encoding_.offsets.begin(), encoding_.offsets.end(), before);
    return static_cast<std::size_t>(found - encoding_.offsets.begin());
  }

  // Marks the tokens that hold any character of these bytes; returns the first behind them.
  std::size_t mark(std::size_t begin_byte, std::size_t end_byte) {
    std::int64_t begin = places_.of(begin_byte), end = places_.of(end_byte);
    std::size_t token = first_token(begin);
    for (; token < encoding_.size() && encoding_.offsets[token].first < end; ++token)
      mask_.in_loss[token] = 1;
    return token;
  }

  // Whether the extent holds the token that ends it, as {% generation %} may enclose it.
  bool ends_itself(const TurnExtent& extent, std::size_t after) {
    std::string_view words = text_.substr(extent.begin, extent.end - extent.begin);
    std::int64_t end = places_.of(extent.begin + words.find_last_not_of(kBlanks) + 1);
    while (after > 0 && encoding_.offsets[after - 1].first >= end) --after;
    return after > 0 && is_special(after - 1);
  }

  // Marks the tokens from `token` to the first special one of the tail, if only blanks are before
  // it, or anything that frames the turn.
  bool mark_special(std::size_t token, const TurnExtent& extent) {
    std::string_view tail = text_.substr(extent.end, extent.tail_end - extent.end);
    std::size_t blanks = tail.size();
    if (!extent.framed) blanks = std::min(tail.find_first_not_of(kBlanks), tail.size());
    std::int64_t last = places_.of(extent.end + blanks), end = places_.of(extent.tail_end);
    for (std::size_t t = token; t < encoding_.size(); ++t) {
      const auto& [first, second] = encoding_.offsets[t];
      if (first > last || second > end) return false;
      if (!is_special(t)) continue;
      std::fill(mask_.in_loss.begin() + static_cast<std::ptrdiff_t>(token),
                mask_.in_loss.begin() + static_cast<std::ptrdiff_t>(t) + 1, std::uint8_t{1});
      return true;
    }
    return false;
  }

  std::string_view text_;
  const Encoding& encoding_;
  std::span<const std::int32_t> special_ids_;
  CharacterPlaces places_;
  LossMask mask_;
};

}  // namespace

LossMask loss_mask(std::string_view text, const Encoding& encoding,
                   std::span<const TurnExtent> extents, std::span<const std::int32_t> special_ids) {
  MaskMaker maker(text, encoding, special_ids);
  for (const TurnExtent& extent : extents) maker.add(extent);
  return maker.take();
}

}  // namespace inlay
