#include "formats/torch_zip.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "base/source_dir.h"
#include "formats/state_dict_pickle.h"
#include "formats/stored_zip.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

template <class T>
std::vector<T> values(const Tensor& tensor) {
  return {tensor.data<T>(), tensor.data<T>() + tensor.count()};
}

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

std::string torch_made() {
  return read_file(source_dir() / "tests/golden/formats/torch_state.bin");
}

// tests/golden/formats/make_torch_state.py says what is in it.
TEST(TorchZip, ReadsWhatTorchWrote) {
  TorchFile file = TorchFile::parse(torch_made(), "f");
  EXPECT_EQ(file.names(),
            (std::vector<std::string>{"weight", "transposed", "row", "all", "half", "bf16", "ids",
                                      "flag", "scalar", "empty", "parameter"}));
  EXPECT_EQ(file.tensor("weight").shape(), (Shape{3, 4}));
  EXPECT_EQ(values<float>(file.tensor("weight"))[11], 11.0f);
  EXPECT_EQ(file.tensor("transposed").shape(), (Shape{4, 3}));
  EXPECT_EQ(values<float>(file.tensor("transposed")),
            (std::vector<float>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
  EXPECT_EQ(values<float>(file.tensor("row")), (std::vector<float>{4, 5, 6, 7}));
  EXPECT_EQ(static_cast<float>(file.tensor("half").data<Float16>()[1]), -2.0f);
  EXPECT_EQ(static_cast<float>(file.tensor("bf16").data<BFloat16>()[1]), 3.0f);
  EXPECT_EQ(values<int64_t>(file.tensor("ids")), (std::vector<int64_t>{1, -(int64_t{1} << 40)}));
  EXPECT_TRUE(file.tensor("flag").data<bool>()[0]);
  EXPECT_EQ(file.tensor("scalar").shape(), Shape());
  EXPECT_EQ(file.tensor("scalar").data<uint8_t>()[0], 7);
  EXPECT_EQ(file.tensor("empty").shape(), (Shape{0, 3}));
  EXPECT_EQ(values<float>(file.tensor("parameter")), std::vector<float>{0.25f});
  EXPECT_FALSE(file.contains("absent"));
  EXPECT_THROW(file.tensor("absent"), Error);
}

TEST(TorchZip, WhatIsWrittenComesBackBitForBit) {
  fs::path path = fs::path(testing::TempDir()) / "inlay_torch_zip_test.bin";
  std::vector<NamedTensor> tensors;
  for (DType dtype : {DType::kBool, DType::kU8, DType::kI8, DType::kI16, DType::kF16, DType::kBF16,
                      DType::kI32, DType::kF32, DType::kF64, DType::kI64}) {
    Tensor tensor = Tensor::zeros({2, 1, 3}, dtype);
    for (std::size_t i = 0; i < tensor.byte_count(); ++i)
      tensor.mutable_raw()[i] = static_cast<std::byte>(i % 2);
    tensors.push_back({std::string(dtype_name(dtype)), tensor});
  }
  tensors.push_back({"scalar", Tensor::zeros({}, DType::kF32)});
  tensors.push_back({"empty", Tensor::zeros({0, 3}, DType::kF32)});
  write_torch(path, tensors);
  std::string bytes = read_file(path);
  TorchFile file = TorchFile::open(path);
  EXPECT_EQ(file.names().size(), tensors.size());
  for (const NamedTensor& named : tensors) {
    Tensor back = file.tensor(named.name);
    EXPECT_EQ(back.dtype(), named.tensor.dtype());
    EXPECT_EQ(back.shape(), named.tensor.shape());
    EXPECT_EQ(std::memcmp(back.raw(), named.tensor.raw(), back.byte_count()), 0) << named.name;
  }
  write_torch(path, tensors);
  EXPECT_EQ(read_file(path), bytes) << "no times, no random names";
  NamedTensor unsigned_long{"u", Tensor::zeros({1}, DType::kU64)};
  expect_error([&] { write_torch(path, std::span(&unsigned_long, 1)); },
               "is U64, which a torch file cannot hold");
  fs::remove(path);
}

void run(const std::string& pickle) {
  read_state_dict_pickle(std::as_bytes(std::span(pickle)), "p");
}

TEST(StateDictPickle, RefusesEveryNameAndInstructionThatIsNotNeeded) {
  expect_error([] { run("\x80\x02"s + "cos\nsystem\nX\x02\0\0\0lsx\x85R."s); },
               "the name os.system is none that");
  expect_error([] { run("cbuiltins\neval\n"); }, "the name builtins.eval");
  expect_error([] { run("ctorch\nFloatStorage\n)R."); }, "torch.FloatStorage was called");
  expect_error([] { run("]."); }, "the instruction 0x5d is none that a state dict needs");
  expect_error([] { run("\x80\x04."); }, "pickle protocol 4; torch.save writes 2");
  expect_error([] { run("i__main__\nX\n."); }, "the instruction 0x69");
}

TEST(StateDictPickle, NoPickleCrashesIt) {
  expect_error([] { run(""); }, "cut short");
  expect_error([] { run("X\xff\xff\xff\xff"s); }, "cut short");
  expect_error([] { run("R"); }, "the stack is empty");
  expect_error([] { run("t"); }, "there is no mark");
  expect_error([] { run("h\x07"); }, "nothing was remembered as 7");
  expect_error([] { run("q\x01"s); }, "nothing to remember");
  expect_error([] { run("N."); }, "the pickle is None; expected a dict");
  expect_error([] { run("}(Nu."); }, "a key without a value");
  expect_error([] { run("}NNs."); }, "a key of the dict is None");
  expect_error([] { run("}X\x01\0\0\0aK\x01s."s); }, "\"a\" is an integer; expected a tensor");
  expect_error([] { run("NNs."); }, "no dict");
  expect_error([] { run("NQ."); }, "a persistent id that is not a storage");
  expect_error([] { run(std::string((1u << 20) + 1, 'N')); }, "more than 1048576 values");
  expect_error([] { run(std::string(65u << 20, 'N')); }, "more than the limit");
  expect_error([] { run("}q\x01X\x01\0\0\0ah\x01s."s); }, "\"a\" is a dict; expected a tensor");
  EXPECT_NO_THROW(run("}."));
}

// One tensor over four floats, with offset, sizes and strides as given.
TorchFile with_view(const std::string& offset, const std::string& sizes,
                    const std::string& strides) {
  std::string pickle =
      "}X\x01\0\0\0tctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
      "X\x01\0\0\0"
      "0X\x03\0\0\0cpuK\x04tQ"s +
      offset + sizes + strides + "\x89)tRs.";
  std::string floats(16, '\0');
  std::vector<ZipPart> parts = {{"a/data.pkl", std::as_bytes(std::span(pickle))},
                                {"a/data/0", std::as_bytes(std::span(floats))}};
  std::string zip;
  write_stored_zip(parts, [&](std::span<const std::byte> bytes) {
    zip.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return TorchFile::parse(zip, "f");
}

TEST(TorchZip, AViewCannotReachBeyondItsStorage) {
  EXPECT_EQ(with_view("K\0"s, "K\x04\x85", "K\x01\x85").tensor("t").count(), 4);
  expect_error([] { with_view("K\x01", "K\x04\x85", "K\x01\x85").tensor("t"); },
               "reaches beyond the 4 elements");
  expect_error([] { with_view("K\0"s, "K\x03\x85", "K\x02\x85").tensor("t"); }, "reaches beyond");
  expect_error([] { with_view("K\0"s, "K\x09\x85", "K\0\x85"s).tensor("t"); },
               "expanded tensors are not supported");
  expect_error([] { with_view("J\xff\xff\xff\xff", "K\x04\x85", "K\x01\x85"); },
               "without storage and offset");
  expect_error([] { with_view("K\0"s, "J\xff\xff\xff\xff\x85", "K\x01\x85"); },
               "a size or stride is -1");
  const std::string huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
  expect_error([&] { with_view("K\0"s, "K\x02\x85", huge + "\x85").tensor("t"); },
               "reaches beyond");
  expect_error([&] { with_view(huge, "K\x02\x85", "K\x01\x85").tensor("t"); }, "reaches beyond");
  expect_error([&] { with_view("K\0"s, huge + huge + "\x86", "K\x01K\x01\x86").tensor("t"); },
               "more than 2^63");
}

TEST(TorchZip, EveryCutAndEveryFlippedByteIsAnErrorOrHarmless) {
  const std::string good = torch_made();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(TorchFile::parse(good.substr(0, size), "f"), Error) << size;
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    try {
      TorchFile file = TorchFile::parse(bad, "f");
      for (const std::string& name : file.names()) file.tensor(name).clone();
    } catch (const Error&) {
    }
  }
}

TEST(StoredZip, RefusesWhatIsNotStored) {
  std::string bytes = torch_made();
  expect_error([] { TorchFile::parse("no", "f"); }, "2 bytes, too small for a zip archive");
  expect_error([] { TorchFile::parse(std::string(100, 'x'), "f"); }, "no end record");
  std::string compressed = bytes;
  compressed[compressed.find("PK\x01\x02") + 10] = 8;
  expect_error([&] { TorchFile::parse(compressed, "f"); }, "is compressed or encrypted");
  std::string damaged = bytes;
  damaged[damaged.find("weight")] = 'W';
  expect_error([&] { TorchFile::parse(damaged, "f"); }, "\"torch_state/data.pkl\" is damaged");
}

TEST(StoredZip, Crc32HasThePublishedCheckValue) {
  std::string_view text = "123456789";
  EXPECT_EQ(crc32(std::as_bytes(std::span(text))), 0xcbf43926u);
}

}  // namespace
}  // namespace inlay
