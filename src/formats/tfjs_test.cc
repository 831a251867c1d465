#include "formats/tfjs.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class TfjsTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  TfjsWeights open(const std::string& weights, const std::string& paths = R"(["a.bin"])") {
    write_file_atomically(folder_ / "model.json", R"({"weightsManifest":[{"paths":)" + paths +
                                                      R"(,"weights":[)" + weights + "]}]}");
    return TfjsWeights::open(folder_ / "model.json");
  }
  void expect_error(const std::string& weights, const std::string& part,
                    const std::string& paths = R"(["a.bin"])") {
    try {
      open(weights, paths).tensor("w");
      ADD_FAILURE() << "accepted; expected: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
  void write(const std::string& file, std::string_view bytes) {
    write_file_atomically(folder_ / file, bytes);
  }

  fs::path folder_ = fs::path(testing::TempDir()) / "inlay_tfjs_test";
};

constexpr const char* kQuantised =
    R"({"name":"w","shape":[2,2],"dtype":"float32","quantization":{"dtype":"uint8","min":-1,"scale":0.5}})";

TEST_F(TfjsTest, DequantisesReadsPlainTypesAndCrossesFiles) {
  std::string floats(8, '\0');
  float value = 2.5f;
  std::memcpy(floats.data() + 4, &value, 4);
  write("a.bin", std::string("\x00\x01\x02\xff", 4) + floats.substr(0, 5));
  write("b.bin", floats.substr(5) + std::string("\x07\0\0\0\x01", 5));
  TfjsWeights weights =
      open(std::string(kQuantised) + R"(,{"name":"f","shape":[2],"dtype":"float32"},
      {"name":"i","shape":[],"dtype":"int32"},{"name":"b","shape":[1],"dtype":"bool"})",
           R"(["a.bin","b.bin"])");
  Tensor w = weights.tensor("w");
  EXPECT_EQ(std::vector<float>(w.data<float>(), w.data<float>() + 4),
            (std::vector<float>{-1.0f, -0.5f, 0.0f, 126.5f}));
  EXPECT_EQ(w.shape(), (Shape{2, 2}));
  EXPECT_EQ(weights.tensor("f").data<float>()[1], 2.5f);
  EXPECT_EQ(weights.tensor("i").data<int32_t>()[0], 7);
  EXPECT_TRUE(weights.tensor("b").data<bool>()[0]);
  EXPECT_TRUE(weights.quantised("w"));
  EXPECT_FALSE(weights.quantised("f"));
  EXPECT_EQ(weights.names(), (std::vector<std::string>{"b", "f", "i", "w"}));
}

TEST_F(TfjsTest, FilesAndManifestMustAgree) {
  write("a.bin", "123");
  expect_error(kQuantised, "weight \"w\": shape (2, 2) needs more than the 3 bytes left");
  write("a.bin", "12345");
  expect_error(kQuantised, "the weights need 4 bytes, their files have 5");
  write("a.bin", "12341234");
  expect_error(std::string(kQuantised) + "," + kQuantised, "is listed twice");
  expect_error(kQuantised, "cannot open", R"(["absent.bin"])");
}

TEST_F(TfjsTest, TheManifestIsNotTrusted) {
  write("a.bin", "1234");
  expect_error(kQuantised, "not a plain file name", R"(["../a.bin"])");
  expect_error(kQuantised, "a path of weightsManifest is number", "[1]");
  expect_error(R"({"name":"w","shape":[-1],"dtype":"int32"})", "the shape holds -1");
  expect_error(R"({"name":"w","shape":[4611686018427387904,2],"dtype":"int32"})", "more than 2^63");
  expect_error(R"({"name":"w","shape":[4611686018427387904],"dtype":"int32"})",
               "needs more than the 4 bytes left");
  expect_error(R"({"name":"w","shape":[1],"dtype":"string"})", "dtype \"string\" is not supported");
  expect_error(R"({"name":"w","shape":[1]})", "\"dtype\" is missing");
  expect_error(
      R"({"name":"w","shape":[4],"dtype":"int32","quantization":{"dtype":"uint8","min":0,"scale":1}})",
      "I32 stored as uint8 is not supported");
  expect_error(R"({"name":"w","shape":[2],"dtype":"float32","quantization":{"dtype":"float16"}})",
               "F32 stored as float16 is not supported");
  expect_error(
      R"({"name":"w","shape":[4],"dtype":"float32","quantization":{"dtype":"uint8","min":0,"scale":1e300}})",
      "not a float32 number");
  expect_error(R"({"name":"w","shape":[4],"dtype":"bool"})", "holds a byte other than 0 and 1");
  write("model.json", "{}");
  EXPECT_THROW(TfjsWeights::open(folder_ / "model.json"), Error);
}

}  // namespace
}  // namespace inlay
