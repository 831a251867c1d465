#include "text/graphemes.h"

#include <unicode/uchar.h>

#include "text/utf8.h"

namespace inlay::text {
namespace {

int break_class(char32_t c) {
  return u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_GRAPHEME_CLUSTER_BREAK);
}

bool is_pictograph(char32_t c) {
  return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_EXTENDED_PICTOGRAPHIC) != 0;
}

bool is_control(int kind) { return kind == U_GCB_CR || kind == U_GCB_LF || kind == U_GCB_CONTROL; }

// GB6 to GB8: the letters of a Hangul syllable.
bool continues_syllable(int before, int now) {
  switch (now) {
    case U_GCB_L:
    case U_GCB_LV:
    case U_GCB_LVT:
      return before == U_GCB_L;
    case U_GCB_V:
      return before == U_GCB_L || before == U_GCB_LV || before == U_GCB_V;
    case U_GCB_T:
      return before == U_GCB_LV || before == U_GCB_V || before == U_GCB_LVT || before == U_GCB_T;
    default:
      return false;
  }
}

// A cluster as far as it has been read.
class Cluster {
 public:
  explicit Cluster(char32_t first) { read(first, break_class(first)); }

  // Reads a further character if it belongs to the cluster.
  bool take(char32_t c) {
    const int kind = break_class(c);
    if (!joins(c, kind)) return false;
    read(c, kind);
    return true;
  }

 private:
  bool joins(char32_t c, int kind) const {
    if (last_ == U_GCB_CR && kind == U_GCB_LF) return true;            // GB3
    if (is_control(last_) || is_control(kind)) return false;           // GB4, GB5
    if (continues_syllable(last_, kind)) return true;                  // GB6 to GB8
    if (kind == U_GCB_EXTEND || kind == U_GCB_ZWJ) return true;        // GB9
    if (kind == U_GCB_SPACING_MARK) return true;                       // GB9a
    if (last_ == U_GCB_PREPEND) return true;                           // GB9b
    if (after_joined_pictograph_ && is_pictograph(c)) return true;     // GB11
    return kind == U_GCB_REGIONAL_INDICATOR && flag_halves_ % 2 == 1;  // GB12, GB13
  }

  void read(char32_t c, int kind) {
    after_joined_pictograph_ = after_pictograph_ && kind == U_GCB_ZWJ;
    after_pictograph_ = is_pictograph(c) || (after_pictograph_ && kind == U_GCB_EXTEND);
    flag_halves_ = kind == U_GCB_REGIONAL_INDICATOR ? flag_halves_ + 1 : 0;
    last_ = kind;
  }

  int last_ = U_GCB_OTHER;
  bool after_pictograph_ = false;         // and its extenders
  bool after_joined_pictograph_ = false;  // and then a zero-width joiner
  int flag_halves_ = 0;                   // regional indicators in a row
};

}  // namespace

std::size_t grapheme_end(std::string_view text, std::size_t at) {
  const Utf8Char first = decode_utf8(text, at);
  at += first.length;
  // Between two ASCII characters only CR LF is one.
  if (at >= text.size()) return at;
  if (first.code < 0x80 && static_cast<uint8_t>(text[at]) < 0x80) {
    return first.code == U'\r' && text[at] == '\n' ? at + 1 : at;
  }
  Cluster cluster(first.code);
  while (at < text.size()) {
    const Utf8Char c = decode_utf8(text, at);
    if (!cluster.take(c.code)) break;
    at += c.length;
  }
  return at;
}

}  // namespace inlay::text
