// Precompiled: the replacements of a SentencePiece charsmap, applied as the `tokenizers` library
// does it. A cluster of less than six bytes becomes what the charsmap has for its shortest
// beginning, whatever follows in the cluster; of others each character is looked up alone.
#include "text/base64.h"
#include "text/character_edits.h"
#include "text/charsmap.h"
#include "text/graphemes.h"
#include "text/normalizer.h"

namespace inlay::text {
namespace {

constexpr std::size_t kMaxClusterBytes = 5;

Charsmap read_charsmap(const Component& component) {
  const auto bytes = decode_base64(component.text("precompiled_charsmap"));
  require(bytes.has_value(), ErrorKind::kInput, "{}: \"precompiled_charsmap\" is not base64",
          component.place());
  return {*bytes, component.place()};
}

class Precompiled : public Normalizer {
 public:
  explicit Precompiled(const Component& component) : charsmap_(read_charsmap(component)) {}

  void normalize(AlignedText& text) const override {
    const std::string_view bytes = text.bytes();
    Edits edits;
    edits.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t end = grapheme_end(bytes, at);
      const std::string_view cluster = bytes.substr(at, end - at);
      if (cluster.size() > kMaxClusterBytes || !replace(cluster, edits)) {
        replace_each(cluster, edits);
      }
      text.require_room_for(edits.size());
      at = end;
    }
    apply_edits(text, edits);
  }

 private:
  using Edits = std::vector<CharacterEdit>;

  void replace_each(std::string_view cluster, Edits& edits) const {
    for (std::size_t at = 0; at < cluster.size();) {
      const Utf8Char c = decode_utf8(cluster, at);
      if (!replace(cluster.substr(at, c.length), edits)) edits.push_back({c.code, 0});
      at += c.length;
    }
  }

  // Puts the replacement of `old` if there is one. What it has too many is inserted; what it lacks
  // is dropped after the last character so far, or, as nobody's loss, when there is none.
  bool replace(std::string_view old, Edits& edits) const {
    const auto replacement = charsmap_.find(old);
    if (!replacement) return false;
    auto left = static_cast<int>(count_utf8_chars(old));
    for (std::size_t at = 0; at < replacement->size(); --left) {
      const Utf8Char c = decode_utf8(*replacement, at);
      edits.push_back({c.code, left > 0 ? 0 : 1});
      at += c.length;
    }
    if (left > 0 && !edits.empty()) edits.back().change -= left;
    return true;
  }

  Charsmap charsmap_;
};

}  // namespace

std::unique_ptr<const Normalizer> build_precompiled_normalizer(const Component& component) {
  return std::make_unique<Precompiled>(component);
}

}  // namespace inlay::text
