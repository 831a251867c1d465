#include "hub/js_module.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"

namespace inlay {
namespace {

template <class Call>
void expect_error(Call call, const std::string& part) {
  try {
    call();
    ADD_FAILURE() << "no error; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(JsModule, ReadsAnObjectLiteralAsMinifiersWriteIt) {
  Json json = js_property(
      R"(a.exports={x:1,weights:[{name:"w/k",'shape':[3,1e3],min:-.5,scale:.25,on:!0,off:!1,
         none:null,big:2.5e-3,list:[],more:{}}]}})",
      "weights", "m.js");
  EXPECT_EQ(json, parse_json(R"([{"name":"w/k","shape":[3,1000],"min":-0.5,"scale":0.25,"on":true,
      "off":false,"none":null,"big":0.0025,"list":[],"more":{}}])",
                             "expected"));
  EXPECT_TRUE(json[0]["shape"][1].is_number_unsigned());
}

TEST(JsModule, RefusesWhatIsNoLiteral) {
  auto read = [](const std::string& value) {
    return [value] { js_property("x={w:" + value, "w", "m.js"); };
  };
  expect_error(read("f()"), "m.js: found \"f()\"; expected a literal value");
  expect_error(read("[1"), "expected ]");
  expect_error(read("{a:1,a:2}"), "key \"a\" appears twice");
  expect_error(read("{:1}"), "expected a key");
  expect_error(read("\"a\\u0062\""), "without escapes");
  expect_error(read("\"a"), "a string that ends");
  expect_error(read("!2"), "!0 or !1");
  expect_error(read("-"), "a number");
  expect_error(read(std::string(100, '[')), "nested deeper than 64");
  expect_error([] { js_property("w:1,w:2", "w", "m.js"); }, "\"w:\" exactly once");
  expect_error([] { js_property("", "w", "m.js"); }, "\"w:\" exactly once");
}

TEST(JsModule, DecodesAnExportedString) {
  EXPECT_EQ(js_exported_bytes(R"(h.exports="AAEC")", "m.js"), std::string("\0\1\2", 3));
  EXPECT_EQ(js_exported_bytes(R"(h.exports="AAE=",{})", "m.js"), std::string("\0\1", 2));
  EXPECT_EQ(js_exported_bytes(R"(h.exports="AA==")", "m.js"), std::string("\0", 1));
  expect_error(
      [] {
        js_exported_bytes(R"(exports="AAEC)"
                          "C\"",
                          "m.js");
      },
      "a multiple of 4");
  expect_error([] { js_exported_bytes(R"(exports="A*EC")", "m.js"); }, "is not base64");
  expect_error([] { js_exported_bytes("nothing", "m.js"); }, "exactly once");
}

}  // namespace
}  // namespace inlay
