// What kind of character a code point is, as the published tokenizers see it. Their tables are
// frozen at old Unicode versions: a mark or a sign that was added to Unicode later is an ordinary
// character to them, and a model was trained with that, so the classes below cut off at the same
// version.
#pragma once

#include <string>

namespace inlay::text {

bool is_space(char32_t c);    // the White_Space property
bool is_word(char32_t c);     // letters, marks, decimal digits, connectors, joiners: \w
bool is_numeric(char32_t c);  // categories Nd, Nl, No

bool is_punctuation(char32_t c);  // ASCII punctuation and symbols, and categories P*
bool is_invisible(char32_t c);    // categories Cc, Cf, Co, except tab, line feed, carriage return
bool is_nonspacing_mark(char32_t c);  // category Mn: what stripping accents in BERT removes
bool is_combining_mark(char32_t c);   // categories M*: what StripAccents removes
bool is_cjk_ideograph(char32_t c);    // the blocks that BERT sets apart with spaces

// The lower-case form, without regard to context; one character gives two (U+0130).
void append_lower(std::u32string& out, char32_t c);

// The full canonical or compatibility decomposition of one character, not reordered; itself when it
// has none.
enum class Decomposition { kCanonical, kCompatibility };
void append_decomposed(std::u32string& out, char32_t c, Decomposition kind);
int combining_class(char32_t c);
// The primary composite of two characters, or 0.
char32_t composed(char32_t first, char32_t second);

}  // namespace inlay::text
