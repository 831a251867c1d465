#include "text/unicode.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/source_dir.h"
#include "text/aligned_text.h"
#include "text/unicode_form.h"
#include "text/utf8.h"

namespace inlay::text {
namespace {

Json golden() { return read_json(source_dir() / "tests/golden/tokenizers/unicode.json"); }

// Whether `holds` is true exactly in the golden's ranges, leaving aside characters that ICU is too
// old to know.
template <class Holds>
void expect_class(const char* name, Holds holds) {
  const Json tables = golden();
  const auto ranges = tables["classes"][name].get<std::vector<char32_t>>();
  ASSERT_FALSE(ranges.empty()) << name;
  std::size_t next = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c == 0xD800) c = 0xE000;
    while (next < ranges.size() && c > ranges[next + 1]) next += 2;
    const bool expected = next < ranges.size() && c >= ranges[next];
    if (u_charType(static_cast<UChar32>(c)) == U_UNASSIGNED) continue;
    ASSERT_EQ(holds(c), expected) << name << " U+" << std::hex << static_cast<uint32_t>(c);
  }
}

TEST(Unicode, ClassesAreTheReferences) {
  expect_class("space", is_space);
  expect_class("punctuation", is_punctuation);
  expect_class("numeric", is_numeric);
  expect_class("word", is_word);
  expect_class("removed", [](char32_t c) { return c == 0 || c == 0xFFFD || is_invisible(c); });
  expect_class("cjk", is_cjk_ideograph);
  expect_class("nonspacing_mark", is_nonspacing_mark);
  expect_class("combining_mark", is_combining_mark);
}

// Every code point in its normal form, one a line, hashed.
template <class Normalize>
std::string hash_of_all(Normalize normalize) {
  Sha256 hash;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c == 0xD800) c = 0xE000;
    std::string bytes;
    append_utf8(bytes, c);
    AlignedText text(bytes);
    normalize(text);
    if (c > 0) hash.update("\n");
    hash.update(text.bytes());
  }
  return hex(hash.finish());
}

TEST(Unicode, NormalFormsOfAllCodePointsAreTheReferences) {
  const Json forms = golden()["forms"];
  EXPECT_EQ(hash_of_all([](AlignedText& t) { decompose(t, Decomposition::kCanonical); }),
            forms["nfd"]);
  EXPECT_EQ(hash_of_all([](AlignedText& t) { decompose(t, Decomposition::kCompatibility); }),
            forms["nfkd"]);
  EXPECT_EQ(
      hash_of_all([](AlignedText& t) { decompose_and_compose(t, Decomposition::kCanonical); }),
      forms["nfc"]);
  EXPECT_EQ(
      hash_of_all([](AlignedText& t) { decompose_and_compose(t, Decomposition::kCompatibility); }),
      forms["nfkc"]);
}

TEST(Unicode, LowersWithoutContext) {
  std::u32string out;
  for (char32_t c : std::u32string_view(U"AZ\u0130\u03A3\u00C5\u01C4")) append_lower(out, c);
  EXPECT_EQ(out, U"azi\u0307\u03C3\u00E5\u01C6");
}

}  // namespace
}  // namespace inlay::text
