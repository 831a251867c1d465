#include "formats/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

std::string file_of(const std::string& header, std::size_t data_bytes) {
  uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string safetensors_error_of(const std::string& bytes) {
  try {
    SafetensorsFile file = SafetensorsFile::parse(bytes, "f");
    for (const std::string& name : file.names()) file.tensor(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "accepted";
}

// The tensor entry most cases vary: 16 bytes as four 32-bit integers.
std::string safetensors_one(const std::string& dtype, const std::string& shape,
                            const std::string& offsets) {
  return R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

struct SafetensorsRefusal {
  std::string bytes;
  std::string message;
};

TEST(Safetensors, EachViolationHasItsOwnMessage) {
  const std::string good = safetensors_one("\"I32\"", "[2,2]", "[0,16]");
  ASSERT_EQ(safetensors_error_of(file_of(good, 16)), "accepted");
  const std::vector<SafetensorsRefusal> refusals = {
      {"1234567", "7 bytes, too small for a safetensors file"},
      {std::string("\x01\xe1\xf5\x05\0\0\0\0", 8),
       "the header claims 100000001 bytes, more than the limit"},
      {std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "more than the limit"},
      {file_of(good, 0).substr(0, 20), "but only 12 follow; the file is cut short"},
      {file_of("\xff", 0), "does not begin with '{'"},
      {file_of("\xef\xbb\xbf{}", 0), "does not begin with '{'"},
      {file_of("[]", 0), "does not begin with '{'"},
      {file_of("", 0), "does not begin with '{'"},
      {file_of("{", 0), "not valid JSON"},
      {file_of("{\"\xff\":1}", 0), "not valid JSON"},
      {file_of("{} {}", 0), "not valid JSON"},
      {file_of(std::string("{}\0 hidden", 10), 0), "NUL byte at 2"},
      {file_of(R"({"__metadata__":{"a":1}})", 0), "__metadata__ \"a\" is 1; expected a string"},
      {file_of(R"({"__metadata__":{"a":{}}})", 0), "__metadata__ \"a\" is an object"},
      {file_of(R"({"__metadata__":null})", 0),
       "holds null for \"__metadata__\"; expected an object"},
      {file_of(R"({"t":1})", 0), "holds 1 for \"t\"; expected an object"},
      {file_of(R"({"t":{}})", 0), "tensor \"t\" lacks \"dtype\""},
      {file_of(R"({"t":{"dtype":"I32","shape":[]}})", 0), "lacks \"data_offsets\""},
      {file_of(R"({"t":{"dtype":"I32","stride":[]}})", 0), "unknown key \"stride\""},
      {file_of(R"({"t":{"dtype":"I32","dtype":"I32"}})", 0), "has \"dtype\" twice"},
      {file_of(R"({"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},"a":{}})", 0),
       "key \"a\" appears twice"},
      {file_of(R"({"__metadata__":{"a":"","a":""}})", 0), "key \"a\" appears twice"},
      {file_of(safetensors_one("\"I33\"", "[2,2]", "[0,16]"), 16), "unknown dtype \"I33\""},
      {file_of(safetensors_one("32", "[2,2]", "[0,16]"), 16),
       "\"dtype\" of tensor \"t\" is 32; expected a string"},
      {file_of(safetensors_one("[]", "[2,2]", "[0,16]"), 16), "is an array; expected a string"},
      {file_of(safetensors_one("\"I32\"", "4", "[0,16]"), 16),
       "\"shape\" of tensor \"t\" is 4; expected an array"},
      {file_of(safetensors_one("\"I32\"", "[2.0,2]", "[0,16]"), 16),
       "holds 2.0; expected integers"},
      {file_of(safetensors_one("\"I32\"", "[-2,2]", "[0,16]"), 16), "holds -2; expected integers"},
      {file_of(safetensors_one("\"I32\"", "[2,[2]]", "[0,16]"), 16), "holds an array"},
      {file_of(safetensors_one("\"I32\"", "[99999999999999999999]", "[0,16]"), 16),
       "holds 99999999999999999999"},
      {file_of(safetensors_one("\"I32\"", "[9223372036854775808]", "[0,16]"), 16),
       "expected less than 2^63"},
      {file_of(safetensors_one("\"I32\"", "[2,2]", "[0]"), 16), "has 1 numbers; expected 2"},
      {file_of(safetensors_one("\"I32\"", "[2,2]", "[0,16,16]"), 16),
       "expected exactly two integers"},
      {file_of(safetensors_one("\"I32\"", "[2,2]", "[16,0]"), 16), "run backwards"},
      {file_of(safetensors_one("\"I32\"", "[2,2]", "[8,24]"), 24),
       "begins at byte 8 of the data; expected 0"},
      {file_of(safetensors_one("\"I32\"", "[2,4611686018427387904]", "[0,16]"), 16),
       "multiply to more than 2^64 bits"},
      {file_of(safetensors_one("\"F4\"", "[3]", "[0,2]"), 2),
       "ends in the middle of a byte: 12 bits of F4"},
      {file_of(safetensors_one("\"I32\"", "[2,2]", "[0,12]"), 12),
       "has 12 bytes; its dtype I32 and shape need 16"},
      {file_of(good, 17), "need 16 bytes of data, the file has 17 (something follows them)"},
      {file_of(good, 14), "need 16 bytes of data, the file has 14 (it is cut short)"},
      {file_of(safetensors_one("\"BOOL\"", "[1]", "[0,1]"), 0) + "\x02",
       "has a byte 2 at 0; expected 0 or 1"},
      {file_of(safetensors_one("\"F8_E4M3\"", "[4]", "[0,4]"), 4),
       "is F8_E4M3, a dtype that Inlay cannot compute with"},
      {file_of(safetensors_one("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1),
       "has 9 dimensions; at most 8"},
  };
  for (const SafetensorsRefusal& refusal : refusals) {
    EXPECT_NE(safetensors_error_of(refusal.bytes).find(refusal.message), std::string::npos)
        << safetensors_error_of(refusal.bytes) << "\n  instead of: " << refusal.message;
  }
}

TEST(Safetensors, HolesAndOverlapsBetweenTensorsAreErrors) {
  auto two = [](const char* second) {
    return std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                       R"("b":{"dtype":"U8","shape":[4],"data_offsets":)") +
           second + "}}";
  };
  EXPECT_EQ(safetensors_error_of(file_of(two("[4,8]"), 8)), "accepted");
  EXPECT_NE(safetensors_error_of(file_of(two("[5,9]"), 9))
                .find("tensor \"b\" begins at byte 5 of the data; expected 4"),
            std::string::npos);
  EXPECT_NE(safetensors_error_of(file_of(two("[0,4]"), 4)).find("they overlap"), std::string::npos);
  EXPECT_NE(safetensors_error_of(file_of(two("[2,6]"), 6)).find("they overlap"), std::string::npos);
}

TEST(Safetensors, WhitespaceAroundTheHeaderIsAccepted) {
  EXPECT_EQ(safetensors_error_of(file_of("{}\r \t\n", 0)), "accepted");
  EXPECT_EQ(safetensors_error_of(file_of(" \t\r\n{}", 0)), "accepted");
}

TEST(Safetensors, ScalarsEmptyTensorsAndTypesWithoutATensorAreListed) {
  SafetensorsFile file = SafetensorsFile::parse(
      file_of(
          R"({"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
          R"("e":{"dtype":"I32","shape":[2,0],"data_offsets":[4,4]},)"
          R"("f":{"dtype":"F4","shape":[2,1],"data_offsets":[4,5]},"__metadata__":{"format":"pt"}})",
          5),
      "f");
  EXPECT_EQ(file.names(), (std::vector<std::string>{"s", "e", "f"}));
  EXPECT_EQ(file.tensor("s").shape(), Shape());
  EXPECT_EQ(file.tensor("e").count(), 0);
  EXPECT_EQ(file.entry("f").dtype_name, "F4");
  EXPECT_EQ(file.raw_bytes("f").size(), 1u);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_FALSE(file.contains("t"));
  EXPECT_THROW(file.tensor("t"), Error);
}

class SafetensorsFiles : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_ = fs::path(testing::TempDir()) / "inlay_safetensors_test";
};

Tensor floats(const Shape& shape) {
  std::vector<float> values;
  for (int64_t i = 0; i < shape.count(); ++i) values.push_back(static_cast<float>(i));
  return Tensor::of<float>(shape, values);
}

// The header texts, lengths and paddings are those that the reference implementation's own tests
// expect.
TEST_F(SafetensorsFiles, WritesWhatTheReferenceWrites) {
  write_safetensors(folder_ / "a", {});
  EXPECT_EQ(read_file(folder_ / "a"), std::string("\x08\0\0\0\0\0\0\0", 8) + "{}      ");
  write_safetensors(folder_ / "b", {}, {{"framework", "pt"}});
  EXPECT_EQ(read_file(folder_ / "b"), std::string("\x28\0\0\0\0\0\0\0", 8) +
                                          R"({"__metadata__":{"framework":"pt"}})" + "     ");
  NamedTensor named{"attn0", floats({1, 1, 2, 3})};
  write_safetensors(folder_ / "c", std::span(&named, 1));
  std::string bytes = read_file(folder_ / "c");
  EXPECT_EQ(bytes.substr(0, 80),
            std::string("\x48\0\0\0\0\0\0\0", 8) +
                R"({"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}})" + "       ");
  EXPECT_EQ(bytes.substr(80, 8), std::string("\0\0\0\0\0\0\x80\x3f", 8));
  EXPECT_EQ(bytes.size(), 104u);
}

TEST_F(SafetensorsFiles, OrdersByDescendingDtypeThenName) {
  auto tensor = [](DType dtype) { return Tensor::zeros({1}, dtype); };
  std::vector<NamedTensor> tensors = {{"b", tensor(DType::kF32)},  {"a", tensor(DType::kF16)},
                                      {"c", tensor(DType::kBF16)}, {"a2", tensor(DType::kF32)},
                                      {"d", tensor(DType::kI64)},  {"e", tensor(DType::kBool)}};
  write_safetensors(folder_ / "a", tensors);
  EXPECT_EQ(SafetensorsFile::open(folder_ / "a").names(),
            (std::vector<std::string>{"d", "a2", "b", "c", "a", "e"}));
}

TEST_F(SafetensorsFiles, EveryDtypeComesBackBitForBit) {
  std::vector<NamedTensor> tensors;
  for (int d = 0; d <= static_cast<int>(DType::kU64); ++d) {
    Tensor tensor = Tensor::zeros({2, 3}, static_cast<DType>(d));
    for (std::size_t i = 0; i < tensor.byte_count(); ++i)
      tensor.mutable_raw()[i] = static_cast<std::byte>(i % 2);
    tensors.push_back({fmt::format("t{} \"quoted\" \u00e9", d), tensor});
  }
  write_safetensors(folder_ / "a", tensors);
  SafetensorsFile file = SafetensorsFile::open(folder_ / "a");
  for (const NamedTensor& named : tensors) {
    Tensor back = file.tensor(named.name);
    EXPECT_EQ(back.dtype(), named.tensor.dtype());
    EXPECT_EQ(back.shape(), named.tensor.shape());
    EXPECT_EQ(std::memcmp(back.raw(), named.tensor.raw(), back.byte_count()), 0) << named.name;
  }
}

TEST_F(SafetensorsFiles, ATensorOutlivesItsFileAndDroppedPagesComeBack) {
  NamedTensor named{"w", floats({300, 100})};
  write_safetensors(folder_ / "a", std::span(&named, 1));
  Tensor tensor;
  {
    SafetensorsFile file = SafetensorsFile::open(folder_ / "a");
    tensor = file.tensor("w");
    EXPECT_EQ(reinterpret_cast<const std::byte*>(tensor.raw()), file.raw_bytes("w").data())
        << "not copied";
    file.drop_pages("w");
  }
  EXPECT_FALSE(tensor.writable());
  EXPECT_EQ(tensor.data<float>()[29999], 29999.0f);
}

TEST_F(SafetensorsFiles, UnalignedDataIsCopied) {
  std::string header = safetensors_one("\"F32\"", "[1]", "[0,4]");
  header.resize((header.size() + 7) / 8 * 8 + 1, ' ');
  write_file_atomically(folder_ / "a", file_of(header, 0) + std::string("\0\0\x80\x3f", 4));
  SafetensorsFile file = SafetensorsFile::open(folder_ / "a");
  EXPECT_EQ(file.tensor("t").data<float>()[0], 1.0f);
  EXPECT_TRUE(file.tensor("t").writable());
}

TEST_F(SafetensorsFiles, AnInvalidNameIsRefusedBeforeAnythingIsWritten) {
  NamedTensor named{"\xff", floats({1})};
  EXPECT_THROW(write_safetensors(folder_ / "a", std::span(&named, 1)), Error);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

}  // namespace
}  // namespace inlay
