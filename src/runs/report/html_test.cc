#include "runs/report/html.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(Html, EscapesTextAndAttributes) {
  const Html html = element("td", {{"title", "\"><script>'&"}}, text("a < b & 'c'"));
  EXPECT_EQ(html.markup(),
            "<td title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">a &lt; b &amp; &#39;c&#39;</td>");
}

TEST(Html, ReplacesControlCharactersButKeepsLineBreaks) {
  EXPECT_EQ(text(std::string_view("a\0b\x1b\n\t", 6)).markup(), "a\uFFFDb\uFFFD\n\t");
}

TEST(Html, JoinsElements) {
  EXPECT_EQ((element("b", text("x")) + empty_element("path", {{"d", "M0 0"}})).markup(),
            "<b>x</b><path d=\"M0 0\"/>");
}

TEST(Html, ShortensAtCharacters) {
  EXPECT_EQ(shortened("größer", 6), "größer");
  EXPECT_EQ(shortened("größer", 5), "größ…");
  EXPECT_EQ(shortened("größer", 1), "…");
  EXPECT_EQ(shortened("", 3), "");
}

}  // namespace
}  // namespace inlay
