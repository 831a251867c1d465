// Files and values that numpy made from the descriptions of the formats alone:
// tests/golden/formats/make_gguf_goldens.py.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/source_dir.h"
#include "formats/gguf.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

const std::filesystem::path kFolder = source_dir() / "tests/golden/formats";

class GgufGolden : public testing::Test {
 protected:
  GgufFile file_ = GgufFile::open(kFolder / "quantised.gguf");
  SafetensorsFile expected_ = SafetensorsFile::open(kFolder / "quantised_expected.safetensors");
};

// Bit for bit, and the first difference when there is one.
void expect_same(std::string_view name, std::span<const std::byte> found,
                 std::span<const std::byte> wanted) {
  ASSERT_EQ(found.size(), wanted.size()) << name;
  const auto difference = std::mismatch(found.begin(), found.end(), wanted.begin());
  EXPECT_EQ(difference.first - found.begin(), static_cast<std::ptrdiff_t>(found.size())) << name;
}

TEST_F(GgufGolden, MetadataOfEveryType) {
  const GgufMetadata& metadata = file_.metadata();
  EXPECT_EQ(metadata.get<std::string>("general.architecture"), "golden");
  EXPECT_EQ(metadata.alignment(), 64u);
  EXPECT_EQ(metadata.get<int64_t>("unsigned.8"), 255);
  EXPECT_EQ(metadata.get<int64_t>("signed.8"), -128);
  EXPECT_EQ(metadata.get<int64_t>("unsigned.16"), 65535);
  EXPECT_EQ(metadata.get<int64_t>("signed.16"), -32768);
  EXPECT_EQ(metadata.get<int64_t>("unsigned.32"), 4294967295);
  EXPECT_EQ(metadata.get<int64_t>("signed.32"), -2147483648LL);
  EXPECT_EQ(metadata.find("unsigned.64")->type(), GgufValueType::kU64);
  EXPECT_EQ(metadata.get<int64_t>("signed.64"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(metadata.get<double>("float.32"), static_cast<double>(0.1f));
  EXPECT_EQ(metadata.get<double>("float.64"), 0.1);
  EXPECT_TRUE(metadata.get<bool>("yes"));
  EXPECT_FALSE(metadata.get<bool>("no"));
  EXPECT_EQ(metadata.get<std::string>("empty"), "");
  EXPECT_EQ(metadata.get<std::vector<std::string>>("tokens"),
            (std::vector<std::string>{"<s>", "", "Ġthe", "日本"}));
  EXPECT_EQ(metadata.get<std::vector<double>>("scores"), (std::vector<double>{0.5, -1.5}));
  EXPECT_EQ(metadata.get<std::vector<int64_t>>("ids"), (std::vector<int64_t>{-1, 7}));
  EXPECT_EQ(metadata.get<std::vector<int64_t>>("wide")[1], int64_t{1} << 40);
  EXPECT_EQ(metadata.get<std::vector<bool>>("flags"), (std::vector<bool>{true, false, true}));
  EXPECT_TRUE(metadata.get<std::vector<int64_t>>("nothing").empty());
}

TEST_F(GgufGolden, ValuesOfEveryTypeOfTensor) {
  ASSERT_EQ(file_.tensors().size(), 10u);
  for (const GgufTensorInfo& info : file_.tensors()) {
    const Tensor wanted = expected_.tensor(info.name);
    EXPECT_EQ(Shape(std::span<const int64_t>(info.sizes)), wanted.shape()) << info.name;
    const Tensor found = info.type->dtype ? file_.tensor(info.name).to(DType::kF32)
                                          : file_.quantised(info.name).dequantised(DType::kF32);
    expect_same(info.name, found.bytes(), wanted.bytes());
  }
}

TEST_F(GgufGolden, ReferencesAndBf16GiveTheSameValues) {
  for (const GgufTensorInfo& info : file_.tensors()) {
    if (!info.type->format) continue;
    const QuantisedMatrix matrix = file_.quantised(info.name);
    const Tensor wanted = expected_.tensor(info.name);
    Tensor found = Tensor::empty(wanted.shape(), DType::kF32);
    block_format_info(matrix.format())
        .dequantise({matrix.bytes().data(), {matrix.rows(), matrix.columns()}, 0, matrix.rows()},
                    found.mutable_data<float>());
    expect_same(info.name, found.bytes(), wanted.bytes());
    expect_same(info.name, matrix.dequantised(DType::kBF16).bytes(),
                wanted.to(DType::kBF16).bytes());
  }
}

TEST_F(GgufGolden, QuantisedWeights) {
  const Tensor weight = expected_.tensor("weight"), small = weight.rows(0, 4);
  expect_same("q8_0", QuantisedMatrix::quantise(small, BlockFormat::kQ80).bytes(),
              expected_.tensor("small.q8_0").bytes());
  expect_same("q4_0", QuantisedMatrix::quantise(small, BlockFormat::kQ40).bytes(),
              expected_.tensor("small.q4_0").bytes());
  const Tensor int8 =
      QuantisedMatrix::quantise(small, BlockFormat::kInt8Rows).dequantised(DType::kF32);
  expect_same("int8", int8.bytes(), expected_.tensor("small.int8").bytes());
  const Tensor nf4 = QuantisedMatrix::quantise(weight, BlockFormat::kNf4).dequantised(DType::kF32);
  expect_same("nf4", nf4.bytes(), expected_.tensor("weight.nf4").bytes());
}

}  // namespace
}  // namespace inlay
