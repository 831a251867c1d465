#include "data/duplicates.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::size_t kExamples = 3;

std::string text_of(const Example& example) {
  std::string joined;
  if (example.words.empty()) {
    joined = folded(example.text) + '\0' + folded(example.text_pair);
    for (const std::string& text : example.further) joined += '\0' + folded(text);
    return joined;
  }
  for (const std::string& word : example.words) joined += word + ' ';
  return folded(joined);
}

void append_utf8(std::string& text, UChar32 c) {
  char bytes[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, c);
  text.append(bytes, static_cast<std::size_t>(length));
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  bool space = false;
  auto length = static_cast<int64_t>(text.size());
  for (int64_t at = 0; at < length;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), at, length, c);
    if (u_isUWhiteSpace(c)) {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    append_utf8(out, u_foldCase(c, U_FOLD_CASE_DEFAULT));
  }
  return out;
}

std::string Duplicates::Pair::describe(const Dataset& data) const {
  const Example& example = data.examples[measured];
  return fmt::format("{} ({} and {})",
                     excerpt(example.words.empty() ? example.text : example.words[0] + " …"),
                     data.place(measured), data.place(trained));
}

Duplicates find_duplicates(const Dataset& data, std::span<const std::size_t> trained,
                           std::span<const std::size_t> measured) {
  std::map<Digest, std::size_t>
      first_place;  // digests rather than texts: 32 bytes each, however long the text
  for (std::size_t index : trained)
    first_place.emplace(sha256(text_of(data.examples[index])), index);
  Duplicates found;
  for (std::size_t index : measured) {
    auto same = first_place.find(sha256(text_of(data.examples[index])));
    if (same == first_place.end()) continue;
    ++found.count;
    if (found.first.size() < kExamples)
      found.first.push_back({.measured = index, .trained = same->second});
  }
  return found;
}

}  // namespace inlay
