#include "text/unicode.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "base/error.h"

namespace inlay::text {
namespace {

// The versions of Unicode behind the reference's tables for categories, and for normalisation and
// combining marks.
constexpr int kCategoryVersion = 8;
constexpr int kNormalizationVersion = 9;

bool assigned_in(char32_t c, int major_version) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] <= major_version;
}

uint32_t category_mask(char32_t c) { return U_MASK(u_charType(static_cast<UChar32>(c))); }

bool in_category(char32_t c, uint32_t mask) { return (category_mask(c) & mask) != 0; }

const UNormalizer2* normalizer(Decomposition kind) {
  UErrorCode status = U_ZERO_ERROR;
  const UNormalizer2* found = kind == Decomposition::kCanonical ? unorm2_getNFCInstance(&status)
                                                                : unorm2_getNFKCInstance(&status);
  ensure(U_SUCCESS(status), "ICU has no normalisation data: {}", u_errorName(status));
  return found;
}

}  // namespace

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(static_cast<UChar32>(c));
}

bool is_word(char32_t c) {
  if (c == 0x200C || c == 0x200D) return true;
  return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_ALPHABETIC) ||
         in_category(c, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK);
}

bool is_numeric(char32_t c) { return in_category(c, U_GC_N_MASK); }

bool is_punctuation(char32_t c) {
  if (c < 0x80) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  }
  if (c == 0x166D || c == 0x111C9) return true;  // left the category after Unicode 8
  return in_category(c, U_GC_P_MASK) && assigned_in(c, kCategoryVersion);
}

bool is_invisible(char32_t c) {
  if (c < 0x20) return c != '\t' && c != '\n' && c != '\r';
  if (c < 0x7F) return false;
  return in_category(c, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK) &&
         assigned_in(c, kCategoryVersion);
}

bool is_nonspacing_mark(char32_t c) {
  if (c < 0x300) return false;
  switch (c) {  // changed category after Unicode 8
    case 0x1734:
      return true;
    case 0x1885:
    case 0x1886:
    case 0x111C9:
    case 0xA9BD:
      return false;
    default:
      return in_category(c, U_GC_MN_MASK) && assigned_in(c, kCategoryVersion);
  }
}

bool is_combining_mark(char32_t c) {
  if (c < 0x300) return false;
  if (c == 0x1CF2 || c == 0x1CF3) return true;  // left the category after Unicode 9
  if (c == 0x111C9) return false;               // joined it
  return in_category(c, U_GC_M_MASK) && assigned_in(c, kNormalizationVersion);
}

bool is_cjk_ideograph(char32_t c) {
  if (c < 0x3400) return false;
  auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  // The gap from 2B820 to 2B91F is the reference's own.
  return within(0x4E00, 0x9FFF) || within(0x3400, 0x4DBF) || within(0x20000, 0x2A6DF) ||
         within(0x2A700, 0x2B81F) || within(0x2B920, 0x2CEAF) || within(0xF900, 0xFAFF) ||
         within(0x2F800, 0x2FA1F);
}

void append_lower(std::u32string& out, char32_t c) {
  if (c < 0x80) {
    out += c >= 'A' && c <= 'Z' ? c + 32 : c;
  } else if (c == 0x130) {
    out += U"i\u0307";
  } else {
    out += static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
  }
}

void append_decomposed(std::u32string& out, char32_t c, Decomposition kind) {
  UChar units[64];
  UErrorCode status = U_ZERO_ERROR;
  const int32_t length =
      c < 0xA0 || !assigned_in(c, kNormalizationVersion)
          ? -1
          : unorm2_getDecomposition(normalizer(kind), static_cast<UChar32>(c), units, 64, &status);
  ensure(U_SUCCESS(status), "ICU cannot decompose U+{:04X}: {}", static_cast<uint32_t>(c),
         u_errorName(status));
  if (length < 0) {
    out += c;
    return;
  }
  for (int32_t i = 0; i < length;) {
    UChar32 code;
    U16_NEXT(units, i, length, code);
    out += static_cast<char32_t>(code);
  }
}

int combining_class(char32_t c) {
  if (c < 0x300 || !assigned_in(c, kNormalizationVersion)) return 0;
  return u_getCombiningClass(static_cast<UChar32>(c));
}

char32_t composed(char32_t first, char32_t second) {
  const UChar32 code =
      unorm2_composePair(normalizer(Decomposition::kCanonical), static_cast<UChar32>(first),
                         static_cast<UChar32>(second));
  if (code < 0 || !assigned_in(static_cast<char32_t>(code), kNormalizationVersion)) return 0;
  return static_cast<char32_t>(code);
}

}  // namespace inlay::text
