#include "base/json.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace inlay {
namespace {

std::string json_message_of(std::string_view text) {
  try {
    parse_json(text, "x.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "";
}

TEST(Json, RefusesDuplicateKeysDeepNestingAndBadSyntax) {
  EXPECT_NE(json_message_of(R"({"a":1,"a":2})").find("appears twice"), std::string::npos);
  EXPECT_NE(json_message_of(std::string(300, '[') + std::string(300, ']')).find("nested deeper"),
            std::string::npos);
  EXPECT_NE(json_message_of("{").find("x.json: not valid JSON"), std::string::npos);
  EXPECT_NE(json_message_of("\"\xff\"").find("not valid JSON"), std::string::npos);
}

TEST(Json, AcceptsTheSameKeyInSiblings) {
  EXPECT_EQ(json_message_of(R"([{"a":1},{"a":{"a":2}}])"), "");
}

TEST(Json, NamesTheKeyAndTheExpectedType) {
  Json object = parse_json(R"({"r": "eight"})", "x");
  EXPECT_THROW(
      {
        try {
          json_get<int64_t>(object, "r", "x");
        } catch (const Error& error) {
          EXPECT_STREQ(error.what(), "x: \"r\" is string (\"eight\"); expected an integer");
          throw;
        }
      },
      Error);
}

}  // namespace
}  // namespace inlay
