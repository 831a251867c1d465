// Rewriting a text character by character with the attribution of the `tokenizers` library: every
// new character says what it does to the old ones, of which it only counts how many are used up.
#pragma once

#include <vector>

#include "text/aligned_text.h"
#include "text/utf8.h"

namespace inlay::text {

struct CharacterEdit {
  char32_t code;
  // 0 stands for the next old character, 1 is inserted and follows the character before it, -n
  // stands for the next old one and drops n after it.
  int change;
};

// Puts the new characters in the place of all of `text`. `Edit` has the members of CharacterEdit.
template <class Edit>
void apply_edits(AlignedText& text, const std::vector<Edit>& edits) {
  AlignedText::Builder next(text);
  const std::string& bytes = text.bytes();
  uint32_t at = 0;  // in the old text
  auto skip = [&] {
    if (at < bytes.size()) at += static_cast<uint32_t>(decode_utf8(bytes, at).length);
  };
  for (const Edit& edit : edits) {
    const bool inserted = edit.change > 0 || at >= bytes.size();
    next.put(edit.code, inserted ? text.origin_before(at) : text.origin(at));
    if (edit.change > 0) continue;
    for (int i = 0; i <= -edit.change; ++i) skip();
  }
  text = std::move(next).finish();
}

}  // namespace inlay::text
