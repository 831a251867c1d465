// BertNormalizer: cleans control characters and white space, sets CJK ideographs apart, strips
// accents, lower-cases.
#include <array>

#include "text/normalizer.h"
#include "text/unicode.h"
#include "text/unicode_form.h"

namespace inlay::text {
namespace {

bool is_removed(char32_t c) { return c == 0 || c == 0xFFFD || is_invisible(c); }

// The work on a text of ASCII only, which needs neither Unicode tables nor new origins. False when
// a character would have to go.
bool normalize_ascii(std::string& bytes, bool clean, bool lowercase) {
  if (clean) {
    for (char c : bytes) {
      if (is_removed(static_cast<unsigned char>(c))) return false;
    }
  }
  for (char& c : bytes) {
    if (clean && (c == '\t' || c == '\n' || c == '\r')) c = ' ';
    if (lowercase && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return true;
}

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const Component& component)
      : clean_(component.flag_or("clean_text", true)),
        cjk_(component.flag_or("handle_chinese_chars", true)),
        lowercase_(component.flag_or("lowercase", true)),
        strip_accents_(component.flag_or("strip_accents", lowercase_)) {}

  void normalize(AlignedText& text) const override {
    if (is_ascii(text.bytes()) && normalize_ascii(text.bytes_in_place(), clean_, lowercase_))
      return;
    if (clean_) clean(text);
    if (cjk_) set_cjk_apart(text);
    if (strip_accents_) strip_accents(text);
    if (lowercase_) {
      rewrite_characters(text, [](char32_t c, std::u32string& out) { append_lower(out, c); });
    }
  }

 private:
  static void clean(AlignedText& text) {
    rewrite_characters(text, [](char32_t c, std::u32string& out) {
      if (!is_removed(c)) out += is_space(c) ? U' ' : c;
    });
  }

  static void set_cjk_apart(AlignedText& text) {
    AlignedText::Builder next(text);
    for (uint32_t at = 0; at < text.size();) {
      const Utf8Char c = decode_utf8(text.bytes(), at);
      const bool apart = is_cjk_ideograph(c.code);
      if (apart) next.put(U' ', text.origin(at));
      next.put(c.code, text.origin(at));
      if (apart) next.put(U' ', text.origin(at));
      at += static_cast<uint32_t>(c.length);
    }
    text = std::move(next).finish();
  }

  static void strip_accents(AlignedText& text) {
    decompose(text, Decomposition::kCanonical);
    rewrite_characters(text, [](char32_t c, std::u32string& out) {
      if (!is_nonspacing_mark(c)) out += c;
    });
  }

  bool clean_;
  bool cjk_;
  bool lowercase_;
  bool strip_accents_;  // follows lowercase_ when the file says null
};

}  // namespace

std::unique_ptr<const Normalizer> build_bert_normalizer(const Component& component) {
  return std::make_unique<BertNormalizer>(component);
}

}  // namespace inlay::text
