#include "text/normalizer.h"

#include "text/byte_alphabet.h"
#include "text/pattern.h"
#include "text/unicode.h"
#include "text/unicode_form.h"

namespace inlay::text {
namespace {

template <Decomposition kind, bool compose>
class UnicodeForm : public Normalizer {
 public:
  explicit UnicodeForm(const Component&) {}
  void normalize(AlignedText& text) const override {
    compose ? decompose_and_compose(text, kind) : decompose(text, kind);
  }
};

class Lowercase : public Normalizer {
 public:
  explicit Lowercase(const Component&) {}
  void normalize(AlignedText& text) const override {
    rewrite_characters(text, [](char32_t c, std::u32string& out) { append_lower(out, c); });
  }
};

class StripAccents : public Normalizer {
 public:
  explicit StripAccents(const Component&) {}
  void normalize(AlignedText& text) const override {
    rewrite_characters(text, [](char32_t c, std::u32string& out) {
      if (!is_combining_mark(c)) out += c;
    });
  }
};

// What SentencePiece does for translation: control characters go, and what looks like a space is
// one.
class Nmt : public Normalizer {
 public:
  explicit Nmt(const Component&) {}
  void normalize(AlignedText& text) const override {
    rewrite_characters(text, [](char32_t c, std::u32string& out) {
      if (!is_dropped(c)) out += looks_like_space(c) ? U' ' : c;
    });
  }

 private:
  static bool is_dropped(char32_t c) {
    return (c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
           c == 0x8F || c == 0x9F;
  }
  static bool looks_like_space(char32_t c) {
    return c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
           c == 0xFEFF || c == 0xFFFD;
  }
};

class ByteLevelNormalizer : public Normalizer {
 public:
  explicit ByteLevelNormalizer(const Component&) {}
  void normalize(AlignedText& text) const override {
    AlignedText::Builder next(text);
    for (uint32_t at = 0; at < text.size(); ++at) {
      next.put(byte_to_character(static_cast<uint8_t>(text.bytes()[at])), text.origin(at));
    }
    text = std::move(next).finish();
  }
};

class Strip : public Normalizer {
 public:
  explicit Strip(const Component& component)
      : left_(component.flag_or("strip_left", true)),
        right_(component.flag_or("strip_right", true)) {}

  void normalize(AlignedText& text) const override {
    const std::string& bytes = text.bytes();
    std::size_t begin = 0;
    std::size_t end = bytes.size();
    while (left_ && begin < end && is_space(decode_utf8(bytes, begin).code)) {
      begin += decode_utf8(bytes, begin).length;
    }
    while (right_ && end > begin && is_space(decode_utf8(bytes, previous_utf8(bytes, end)).code)) {
      end = previous_utf8(bytes, end);
    }
    if (begin == 0 && end == bytes.size()) return;
    text = text.slice({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
  }

 private:
  bool left_;
  bool right_;
};

class Replace : public Normalizer {
 public:
  explicit Replace(const Component& component)
      : pattern_(component), content_(component.text("content")) {}

  void normalize(AlignedText& text) const override {
    if (text.size() == 0) return;
    std::vector<Range> matches;
    pattern_.find_all(text.bytes(), matches);
    if (matches.empty()) return;
    AlignedText::Builder next(text);
    uint32_t done = 0;
    for (const Range& match : matches) {
      next.keep(done, match.begin);
      next.put(content_, text.origin_before(match.end));
      done = match.end;
    }
    next.keep(done, text.size());
    text = std::move(next).finish();
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(const Component& component) : prefix_(component.text("prepend")) {}

  void normalize(AlignedText& text) const override {
    if (text.size() == 0) return;
    AlignedText::Builder next(text);
    next.put(prefix_, text.origin(uint32_t{0}));
    next.keep(0, text.size());
    text = std::move(next).finish();
  }

 private:
  std::string prefix_;
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(const Component& component) {
    for (const Component& part : component.children("normalizers")) {
      parts_.push_back(build_normalizer(part));
    }
  }
  void normalize(AlignedText& text) const override {
    for (const auto& part : parts_) part->normalize(text);
  }

 private:
  std::vector<std::unique_ptr<const Normalizer>> parts_;
};

template <class T>
std::unique_ptr<const Normalizer> make(const Component& component) {
  return std::make_unique<T>(component);
}

constexpr FactoryRow<Normalizer> kNormalizers[] = {
    {"BertNormalizer", build_bert_normalizer},
    {"Strip", make<Strip>},
    {"StripAccents", make<StripAccents>},
    {"NFC", make<UnicodeForm<Decomposition::kCanonical, true>>},
    {"NFD", make<UnicodeForm<Decomposition::kCanonical, false>>},
    {"NFKC", make<UnicodeForm<Decomposition::kCompatibility, true>>},
    {"NFKD", make<UnicodeForm<Decomposition::kCompatibility, false>>},
    {"Lowercase", make<Lowercase>},
    {"Nmt", make<Nmt>},
    {"Precompiled", build_precompiled_normalizer},
    {"Replace", make<Replace>},
    {"Prepend", make<Prepend>},
    {"ByteLevel", make<ByteLevelNormalizer>},
    {"Sequence", make<NormalizerSequence>},
};

}  // namespace

std::unique_ptr<const Normalizer> build_normalizer(const Component& component) {
  return build<Normalizer>(component, kNormalizers);
}

}  // namespace inlay::text
