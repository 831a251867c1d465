#include "text/aligned_text.h"

#include "base/error.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

constexpr uint64_t kMaxGrowth = 32;
constexpr uint64_t kGrowthAllowance = 64 << 10;

}  // namespace

AlignedText::AlignedText(std::string_view original, Range part)
    : bytes_(original.substr(part.begin, part.end - part.begin)),
      shift_(part.begin),
      limit_(bytes_.size() * kMaxGrowth + kGrowthAllowance) {}

AlignedText::AlignedText(std::string_view original)
    : AlignedText(original, Range{0, static_cast<uint32_t>(original.size())}) {}

Range AlignedText::origin(uint32_t byte) const {
  if (!origins_.empty()) return origins_[byte];
  if (static_cast<uint8_t>(bytes_[byte]) < 0x80) return {shift_ + byte, shift_ + byte + 1};
  const auto begin = static_cast<uint32_t>(previous_utf8(bytes_, byte + 1));
  const auto length = static_cast<uint32_t>(decode_utf8(bytes_, begin).length);
  return {shift_ + begin, shift_ + begin + length};
}

Range AlignedText::origin(Range range) const {
  if (range.begin >= range.end) {
    const uint32_t at = bytes_.empty() ? shift_ : origin_before(range.begin).end;
    return {at, at};
  }
  return {origin(range.begin).begin, origin(range.end - 1).end};
}

AlignedText AlignedText::slice(Range range) const {
  AlignedText part;
  part.bytes_ = view(range);
  part.limit_ = limit_;
  part.shift_ = shift_ + range.begin;
  if (!origins_.empty()) {
    part.origins_.assign(origins_.begin() + range.begin, origins_.begin() + range.end);
  }
  return part;
}

void AlignedText::require_room_for(std::size_t bytes) const {
  require(bytes <= limit_, ErrorKind::kInput,
          "the tokenizer's normalizers make the text grow past {} bytes, more than {} times its "
          "length; the tokenizer file is not a sensible one",
          limit_, kMaxGrowth);
}

AlignedText::Builder::Builder(const AlignedText& source) : source_(source) {
  next_.limit_ = source.limit_;
  next_.shift_ = source.shift_;
  next_.bytes_.reserve(source.bytes_.size() + 8);
  next_.origins_.reserve(source.bytes_.size() + 8);
}

void AlignedText::Builder::keep(uint32_t begin, uint32_t end) {
  next_.bytes_.append(source_.bytes_, begin, end - begin);
  if (source_.origins_.empty()) {
    for (uint32_t i = begin; i < end; ++i) next_.origins_.push_back(source_.origin(i));
  } else {
    next_.origins_.insert(next_.origins_.end(), source_.origins_.begin() + begin,
                          source_.origins_.begin() + end);
  }
  next_.require_room_for(next_.bytes_.size());
}

void AlignedText::Builder::put(char32_t c, Range origin) {
  append_utf8(next_.bytes_, c);
  next_.origins_.resize(next_.bytes_.size(), origin);
  next_.require_room_for(next_.bytes_.size());
}

void AlignedText::Builder::put(std::string_view utf8, Range origin) {
  next_.bytes_.append(utf8);
  next_.origins_.resize(next_.bytes_.size(), origin);
  next_.require_room_for(next_.bytes_.size());
}

}  // namespace inlay::text
