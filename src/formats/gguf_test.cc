#include "formats/gguf.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

// The pieces of a file, each as the format has it.
template <class T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(T));
}
std::string text(const std::string& value) { return raw<uint64_t>(value.size()) + value; }
std::string entry(const std::string& key, uint32_t type, const std::string& value) {
  return text(key) + raw(type) + value;
}
std::string array(const std::string& key, uint32_t element, uint64_t count,
                  const std::string& values) {
  return entry(key, 9, raw(element) + raw(count) + values);
}
std::string tensor(const std::string& name, const std::vector<int64_t>& sizes, uint32_t type,
                   uint64_t offset) {
  std::string bytes = text(name) + raw(static_cast<uint32_t>(sizes.size()));
  for (int64_t size : sizes) bytes += raw(size);
  return bytes + raw(type) + raw(offset);
}
std::string start(uint64_t tensors, uint64_t entries, uint32_t version = 3) {
  return "GGUF" + raw(version) + raw(tensors) + raw(entries);
}
std::string with_data(std::string header, std::size_t bytes, std::size_t alignment = 32) {
  header.resize((header.size() + alignment - 1) / alignment * alignment);
  return header + std::string(bytes, '\0');
}
// A file of one F32 tensor of 8 elements, or what a case makes of it.
std::string one(const std::vector<int64_t>& sizes = {8}, uint32_t type = 0, uint64_t offset = 0,
                std::size_t bytes = 32) {
  return with_data(start(1, 0) + tensor("t", sizes, type, offset), bytes);
}
std::string with_entry(const std::string& entry_bytes) { return start(0, 1) + entry_bytes; }

std::string error_of(const std::string& bytes) {
  try {
    GgufFile file = GgufFile::parse(bytes, "f");
    for (const GgufTensorInfo& info : file.tensors()) {
      info.type->format ? static_cast<void>(file.quantised(info.name))
                        : static_cast<void>(file.tensor(info.name));
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "accepted";
}

struct Refusal {
  std::string bytes;
  std::string message;
};

void expect_refused(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    EXPECT_NE(error_of(refusal.bytes).find(refusal.message), std::string::npos)
        << error_of(refusal.bytes) << "\n  instead of: " << refusal.message;
  }
}

TEST(Gguf, EachViolationOfTheStartHasItsOwnMessage) {
  const uint64_t many = uint64_t{1} << 62;
  expect_refused({
      {"GGU", "the magic of the header takes 4 bytes, but only 3 are left"},
      {"GGML" + start(0, 0).substr(4), "does not begin with \"GGUF\""},
      {start(0, 0, 0), "GGUF version 0; versions 2 and 3 are supported"},
      {start(0, 0, 1), "GGUF version 1;"},
      {start(0, 0, 4), "GGUF version 4;"},
      {start(0, 0, 3u << 24), "a big-endian GGUF file (version 0x03000000)"},
      {start(many, 0),
       "the number of tensors of the header is 4611686018427387904, but the 8 "
       "bytes that are left hold at most 0"},
      {start(0, many), "the number of metadata entries of the header is 4611686018427387904"},
      {start(0, ~uint64_t{0}), "is 18446744073709551615, but the 0 bytes"},
      {start(0, 0) + std::string(9, 'x'), "the tensors need 0 bytes of data"},
  });
}

TEST(Gguf, EachViolationOfTheMetadataHasItsOwnMessage) {
  const std::string flag = raw<uint8_t>(1);
  expect_refused({
      {with_entry(entry("", 7, flag)), "the key of metadata entry 0 has 0 bytes; expected 1 to"},
      {with_entry(entry(std::string(65536, 'k'), 7, flag)), "has 65536 bytes; expected 1 to 65535"},
      {with_entry(entry("a\xff", 7, flag)),
       "the key of metadata entry 0 is not valid UTF-8: byte 0xff at 1"},
      {with_entry(raw(~uint64_t{0}) + "key" + std::string(8, '\0')),
       "the key of metadata entry 0 claims 18446744073709551615 bytes, more than the limit"},
      {with_entry(raw<uint64_t>(100) + "key" + std::string(8, '\0')),
       "the key of metadata entry 0 takes 100 bytes, but only 11 are left"},
      {start(0, 2) + entry("a", 7, flag) + entry("a", 7, flag), "metadata key \"a\" appears twice"},
      {with_entry(entry("a", 13, flag)), "the type of metadata key \"a\" is 13; expected 0 to 12"},
      {with_entry(entry("a", 7, raw<uint8_t>(2))), "metadata key \"a\" has a bool of 2 at byte 37"},
      {with_entry(entry("a", 12, "1234567")), "the value of metadata key \"a\" takes 8 bytes"},
      {with_entry(entry("a", 8, text("b\xc0\x80"))),
       "a string of metadata key \"a\" is not valid UTF-8: byte 0xc0 at 1"},
      {with_entry(entry("a", 8, raw<uint64_t>(9) + "12345678")),
       "a string of metadata key \"a\" takes 9 bytes, but only 8 are left"},
      {with_entry(array("a", 9, 0, "")), "metadata key \"a\" is an array of arrays"},
      {with_entry(array("a", 99, 0, "")), "the element type of metadata key \"a\" is 99"},
      {with_entry(array("a", 4, uint64_t{1} << 63, "1234")),
       "the array length of metadata key \"a\" is 9223372036854775808, but the 4 bytes that are "
       "left hold at most 1"},
      {with_entry(array("a", 8, 3, text("x") + text("y"))),
       "the array length of metadata key \"a\" is 3, but the 18 bytes that are left hold at most "
       "2"},
      {with_entry(array("a", 8, 2, text("x") + text("\xed\xa0\x80"))), "byte 0xed at 0"},
      {with_entry(array("a", 7, 2, "\x01\x03")), "has a bool of 3"},
      {with_entry(entry("general.alignment", 4, raw<uint32_t>(0))),
       "general.alignment is 0; expected a power of two of at most 1048576"},
      {with_entry(entry("general.alignment", 4, raw<uint32_t>(48))), "general.alignment is 48"},
      {with_entry(entry("general.alignment", 4, raw(uint32_t{1} << 21))),
       "general.alignment is 2097152"},
      {with_entry(entry("general.alignment", 10, raw<uint64_t>(32))),
       "metadata key \"general.alignment\" is a u64; expected a u32"},
  });
}

TEST(Gguf, EachViolationOfATensorHasItsOwnMessage) {
  ASSERT_EQ(error_of(one()), "accepted");
  const int64_t large = int64_t{1} << 32;
  const std::string two = start(2, 0) + tensor("t", {8}, 0, 0);
  expect_refused({
      {with_data(start(1, 0) + tensor("t\x80", {8}, 0, 0), 32),
       "the name of tensor 0 is not valid UTF-8: byte 0x80 at 1"},
      {with_data(start(1, 0) + tensor(std::string(64, 'n'), {8}, 0, 0), 32),
       "has 64 bytes; at most 63 are allowed"},
      {with_data(two + tensor("t", {8}, 0, 32), 64), "tensor \"t\" appears twice"},
      {one({1, 1, 1, 1, 8}), "tensor \"t\" has 5 dimensions; at most 4 are allowed"},
      {one({-8}), "tensor \"t\" has a size of -8; expected 0 or more"},
      {one({large, large}), "the sizes of tensor \"t\" multiply to more than 2^63"},
      {one({large, large / 4}, 0), "tensor \"t\" needs more than 2^63 bytes"},
      {one({8}, 4), "tensor \"t\" has the unknown type 4"},
      {one({8}, 4000000000u), "tensor \"t\" has the unknown type 4000000000"},
      {one({48, 2}, 8), "tensor \"t\" has rows of 48, which blocks of 32 (Q8_0) do not divide"},
      {one({}, 12), "has rows of 1, which blocks of 256 (Q4_K) do not divide"},
      {one({8}, 0, 32),
       "begins at byte 32 of the data; expected 0, where the one before ends "
       "(there is a hole)"},
      {with_data(two + tensor("u", {8}, 0, 0), 64),
       "tensor \"u\" begins at byte 0 of the data; expected 32"},
      {with_data(two + tensor("u", {8}, 0, 16), 64), "(they overlap)"},
      {one({8}, 0, 0, 31), "tensor \"t\" needs 32 bytes at 0 of the data, the file has 31"},
      {one({1 << 20}), "needs 4194304 bytes at 0 of the data, the file has 32; it is cut short"},
      {one({8}, 0, 0, 33), "need 32 bytes of data, the file has 33 (something follows them)"},
      {one({32}, 3, 0, 32), "tensor \"t\" is Q4_1, a type of blocks"},
  });
}

TEST(Gguf, AFileCutAnywhereIsRefused) {
  const std::string whole =
      with_data(start(2, 3) + entry("a", 8, text("word")) + array("b", 8, 2, text("x") + text("")) +
                    array("c", 6, 3, std::string(12, '\0')) + tensor("t", {4, 2}, 0, 0) +
                    tensor("u", {32, 1}, 8, 32),
                32 + 34);
  ASSERT_EQ(error_of(whole), "accepted");
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_NE(error_of(whole.substr(0, bytes)), "accepted") << bytes << " of " << whole.size();
  }
}

TEST(Gguf, NoChangeOfAByteDoesMoreThanRaiseAnError) {
  const std::string whole =
      with_data(start(1, 2) + entry("general.alignment", 4, raw<uint32_t>(32)) +
                    array("b", 8, 2, text("x") + text("")) + tensor("t", {32, 2}, 8, 0),
                96);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int change : {0x01, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      error_of(bytes);
    }
  }
}

TEST(Gguf, TextIsUtf8) {
  EXPECT_EQ(find_invalid_utf8("plain é 日本 😀 \xf4\x8f\xbf\xbf"), std::string::npos);
  EXPECT_EQ(find_invalid_utf8(""), std::string::npos);
  for (const char* bad :
       {"\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe6\x97", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe6\x97z"}) {
    EXPECT_EQ(find_invalid_utf8("ab" + std::string(bad)), 2u) << testing::PrintToString(bad);
  }
}

TEST(Gguf, VersionTwoScalarsEmptyTensorsAndOtherTypesAreListed) {
  const GgufFile file = GgufFile::parse(
      with_data(start(4, 0, 2) + tensor("scalar", {}, 0, 0) + tensor("empty", {0, 3}, 0, 32) +
                    tensor("other", {256}, 10, 32) + tensor("last", {3}, 24, 128),
                131),
      "f");
  EXPECT_EQ(file.tensor("scalar").shape(), Shape());
  EXPECT_EQ(file.tensor("empty").shape(), Shape({3, 0}));
  EXPECT_EQ(file.info("other").type->name, "Q2_K");
  EXPECT_EQ(file.raw_bytes("other").size(), 84u);
  EXPECT_EQ(file.tensor("last").dtype(), DType::kI8);  // the file may end without padding
  EXPECT_FALSE(file.contains("t"));
  EXPECT_THROW(file.tensor("t"), Error);
  EXPECT_THROW(file.tensor("other"), Error);
  EXPECT_THROW(file.quantised("other"), Error);
  EXPECT_THROW(file.quantised("last"), Error);
}

std::string message_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Gguf, MetadataErrorsNameFileAndKey) {
  const GgufFile file = GgufFile::parse(
      start(0, 2) + entry("a", 8, text("word")) + entry("b", 10, raw(~uint64_t{0})), "dir/m.gguf");
  EXPECT_EQ(message_of([&] { file.metadata().get<int64_t>("c"); }),
            "dir/m.gguf: metadata key \"c\" is missing; expected an integer below 2^63");
  EXPECT_EQ(message_of([&] { file.metadata().get<double>("a"); }),
            "dir/m.gguf: metadata key \"a\" is a string; expected an f32 or f64");
  EXPECT_EQ(message_of([&] { file.metadata().get<int64_t>("b"); }),
            "dir/m.gguf: metadata key \"b\" is a u64; expected an integer below 2^63");
  EXPECT_EQ(file.metadata().get_or<int64_t>("c", 7), 7);
  EXPECT_EQ(file.metadata().get_or<std::string>("a", ""), "word");
}

class GgufFiles : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_ = fs::path(testing::TempDir()) / "inlay_gguf_test";
  fs::path path_ = folder_ / "m.gguf";
};

GgufMetadata some_metadata() {
  GgufMetadata metadata;
  metadata.set("z.first", GgufValue::of(std::string("b")));
  metadata.set("a.second", GgufValue::of(-1.5f));
  metadata.set("tokens", GgufValue::array_of(std::vector<std::string>{"<s>", "é"}));
  metadata.set("z.first", GgufValue::of(uint8_t{200}));
  return metadata;
}

std::vector<NamedGgufTensor> some_tensors() {
  std::vector<float> values(6 * 64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 37) - 18.0f;
  const Tensor matrix = Tensor::of<float>({6, 64}, values);
  return {{"z", matrix.to(DType::kBF16)},
          {"a.q8", QuantisedMatrix::quantise(matrix, BlockFormat::kQ80)},
          {"a.q4", QuantisedMatrix::quantise(matrix, BlockFormat::kQ40)},
          {"scalar", Tensor::of<float>({}, std::vector<float>{2.5f})}};
}

TEST_F(GgufFiles, WhatIsWrittenIsRead) {
  const std::vector<NamedGgufTensor> tensors = some_tensors();
  write_gguf(path_, some_metadata(), tensors);
  const GgufFile file = GgufFile::open(path_);
  ASSERT_EQ(file.metadata().entries().size(), 3u);
  EXPECT_EQ(file.metadata().entries()[0].key, "z.first");
  EXPECT_EQ(file.metadata().get<int64_t>("z.first"), 200);
  EXPECT_EQ(file.metadata().get<double>("a.second"), -1.5);
  EXPECT_EQ(file.metadata().get<std::vector<std::string>>("tokens")[1], "é");
  ASSERT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.tensors()[0].name, "z");
  EXPECT_EQ(file.tensor("z").shape(), Shape({6, 64}));
  EXPECT_EQ(file.quantised("a.q8").rows(), 6);
  EXPECT_EQ(file.tensor("scalar").data<float>()[0], 2.5f);
  for (const NamedGgufTensor& named : tensors) {
    const auto wanted = std::visit([](const auto& value) { return value.bytes(); }, named.value);
    const auto found = file.raw_bytes(named.name);
    EXPECT_TRUE(std::equal(found.begin(), found.end(), wanted.begin(), wanted.end())) << named.name;
  }
}

TEST_F(GgufFiles, WritingWhatWasReadGivesTheSameBytes) {
  GgufMetadata metadata = some_metadata();
  for (uint32_t alignment : {32u, 256u}) {
    metadata.set("general.alignment", GgufValue::of(alignment));
    write_gguf(path_, metadata, some_tensors());
    const std::string first = read_file(path_);
    EXPECT_EQ(first.size() % alignment, 0u);
    const GgufFile file = GgufFile::open(path_);
    std::vector<NamedGgufTensor> tensors;
    for (const GgufTensorInfo& info : file.tensors()) {
      if (info.type->format) tensors.push_back({info.name, file.quantised(info.name)});
      if (info.type->dtype) tensors.push_back({info.name, file.tensor(info.name)});
    }
    write_gguf(path_, file.metadata(), tensors);  // over the file that is mapped
    EXPECT_EQ(read_file(path_), first);
  }
}

TEST_F(GgufFiles, TensorsOutliveTheFile) {
  write_gguf(path_, {}, some_tensors());
  GgufFile file = GgufFile::open(path_);
  const QuantisedMatrix matrix = file.quantised("a.q8");
  const Tensor scalar = file.tensor("scalar");
  file = GgufFile::parse(start(0, 0), "other");
  fs::remove(path_);
  EXPECT_NE(matrix.dequantised(DType::kF32).data<float>()[0], 0.0f);
  EXPECT_EQ(scalar.data<float>()[0], 2.5f);
}

TEST_F(GgufFiles, WhatTheFormatCannotHoldIsRefused) {
  const Tensor matrix = Tensor::zeros({2, 64}, DType::kF32);
  const Tensor deep = Tensor::zeros({1, 1, 1, 1, 1}, DType::kF32);
  const auto refusal = [&](const NamedGgufTensor& tensor) {
    return message_of([&] { write_gguf(path_, {}, std::span(&tensor, 1)); });
  };
  EXPECT_EQ(refusal({"t", QuantisedMatrix::quantise(matrix, BlockFormat::kNf4)}),
            "tensor \"t\" is NF4, which GGUF files cannot hold; use Q8_0 or Q4_0");
  EXPECT_EQ(refusal({"t", Tensor::zeros({2}, DType::kU64)}),
            "tensor \"t\" is U64, which GGUF files cannot hold; convert it first");
  EXPECT_EQ(refusal({"t", deep}), "tensor \"t\" has 5 dimensions; GGUF files hold at most 4");
  EXPECT_NE(refusal({std::string(64, 'n'), matrix}).find("has 64 bytes"), std::string::npos);
  EXPECT_NE(refusal({"t\xff", matrix}).find("a tensor name of 2 bytes is not UTF-8 from byte 1"),
            std::string::npos);
  GgufMetadata metadata;
  metadata.set("key", GgufValue::array_of(std::vector<std::string>{"a", "\xff"}));
  EXPECT_NE(message_of([&] { write_gguf(path_, metadata, {}); }).find("a metadata string"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(path_));
}

}  // namespace
}  // namespace inlay
