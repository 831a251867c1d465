#include "base/spec.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

using Pieces = std::vector<std::string>;

TEST(Spec, HasANameAndArguments) {
  const Spec spec = parse_spec(" lora[ r=8,alpha=16 ] ");
  EXPECT_EQ(spec.name, "lora");
  EXPECT_EQ(spec.arguments, "r=8,alpha=16");
  EXPECT_EQ(spec_text(spec), "lora[r=8,alpha=16]");
}

TEST(Spec, MayHaveNoArguments) {
  EXPECT_EQ(parse_spec("ia3").arguments, "");
  EXPECT_EQ(parse_spec("ia3[]").arguments, "");
  EXPECT_EQ(spec_text(parse_spec("ia3")), "ia3");
}

TEST(Spec, KeepsQuotesAndInnerBracketsInItsArguments) {
  EXPECT_EQ(parse_spec("lora[t='a]b',u=[0-9]]").arguments, "t='a]b',u=[0-9]");
}

TEST(Spec, SayWhatIsWrong) {
  for (const char* text :
       {"", "[r=8]", "lora[r=8", "lora]", "lora[r=8]x", "lora[a][b]", "lo ra", "lora[']"}) {
    EXPECT_THROW(parse_spec(text), Error) << text;
  }
}

TEST(Spec, SplitsOutsideQuotesAndBrackets) {
  EXPECT_EQ(split_outside("a[x,y], 'b,c' ,d", ','), (Pieces{"a[x,y]", "'b,c'", "d"}));
  EXPECT_EQ(split_outside(" ", ','), Pieces{});
  EXPECT_EQ(split_outside("a,", ','), (Pieces{"a", ""}));
  EXPECT_EQ(rfind_outside("a:b:':'", ':'), 3u);
}

TEST(Spec, QuotingRoundTrips) {
  for (const char* text : {"plain", "", "a,b", "it's", "''", "x+y", "[", " padded "}) {
    EXPECT_EQ(unquote(quote_if_needed(text)), text);
    EXPECT_EQ(split_outside(quote_if_needed(text), ',').size(), 1u);
  }
  EXPECT_EQ(quote_if_needed("bert.layer"), "bert.layer");
}

}  // namespace
}  // namespace inlay
