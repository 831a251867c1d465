#include "text/metaspace.h"

#include "text/pre_tokenizer.h"
#include "text/splitting.h"

namespace inlay::text {
namespace {

// Files up to 2023 say add_prefix_space, later ones prepend_scheme.
Metaspace::Prepend read_prepend(const Component& component) {
  using Prepend = Metaspace::Prepend;
  const bool legacy = component.flag_or("add_prefix_space", true);
  const std::string scheme = component.text_or("prepend_scheme", legacy ? "always" : "never");
  if (scheme == "always") return Prepend::kAlways;
  if (scheme == "first") return Prepend::kFirst;
  require(scheme == "never", ErrorKind::kInput,
          "{}: prepend_scheme \"{}\" is not supported; supported: always, first, never",
          component.place(), scheme.substr(0, 60));
  return Prepend::kNever;
}

class MetaspacePreTokenizer : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(const Component& component) : settings_(component) {}

  void pre_tokenize(Pieces& pieces) const override {
    pieces.rewrite([this](const AlignedText& text, Range piece, AlignedText::Builder& out) {
      if (wants_prefix(text, piece)) out.put(settings_.replacement, text.origin(piece.begin));
      for (uint32_t at = piece.begin; at < piece.end; ++at) {
        if (text.bytes()[at] == ' ') {
          out.put(settings_.replacement, text.origin(at));
        } else {
          out.keep(at, at + 1);
        }
      }
    });
    if (!settings_.split) return;
    pieces.split([this](std::string_view text, std::vector<Range>& parts) {
      auto is_sign = [this](char32_t c) { return c == settings_.replacement; };
      split_stretches(character_stretches(text, is_sign), SplitBehavior::kMergedWithNext, parts);
    });
  }

 private:
  bool wants_prefix(const AlignedText& text, Range piece) const {
    const char32_t first = decode_utf8(text.bytes(), piece.begin).code;
    if (first == U' ' || first == settings_.replacement) return false;
    if (settings_.prepend == Metaspace::Prepend::kFirst) return text.origin(piece.begin).begin == 0;
    return settings_.prepend == Metaspace::Prepend::kAlways;
  }

  Metaspace settings_;
};

}  // namespace

Metaspace::Metaspace(const Component& component)
    : replacement(component.character("replacement")),
      prepend(read_prepend(component)),
      split(component.flag_or("split", true)) {}

std::unique_ptr<const PreTokenizer> build_metaspace_pre_tokenizer(const Component& component) {
  return std::make_unique<MetaspacePreTokenizer>(component);
}

}  // namespace inlay::text
