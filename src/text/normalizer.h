// The first stage of a tokenizer: rewrites the text before it is split (cleaning, case, accents,
// Unicode forms).
#pragma once

#include <memory>
#include <string>

#include "text/aligned_text.h"
#include "text/component.h"
#include "text/utf8.h"

namespace inlay::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void normalize(AlignedText& text) const = 0;
};

// The component "normalizer" of a tokenizer file; an unknown type is an Error that lists the known
// ones.
std::unique_ptr<const Normalizer> build_normalizer(const Component& component);

// Those with files of their own.
std::unique_ptr<const Normalizer> build_bert_normalizer(const Component& component);
std::unique_ptr<const Normalizer> build_precompiled_normalizer(const Component& component);

// Puts in place of every character what `rewrite(c, out)` appends to `out`.
template <class Rewrite>
void rewrite_characters(AlignedText& text, Rewrite rewrite) {
  AlignedText::Builder next(text);
  std::u32string out;
  for (uint32_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text.bytes(), at);
    out.clear();
    rewrite(c.code, out);
    for (char32_t code : out) next.put(code, text.origin(at));
    at += static_cast<uint32_t>(c.length);
  }
  text = std::move(next).finish();
}

}  // namespace inlay::text
