#include "formats/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "formats/safetensors.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& file, const std::vector<std::string>& names) {
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) {
      std::vector<float> values(6, static_cast<float>(name.size()));
      tensors.push_back({name, Tensor::of<float>({2, 3}, values)});
    }
    write_safetensors(folder_ / file, tensors);
  }
  void write_index(const std::string& weight_map) {
    write_file_atomically(folder_ / "model.safetensors.index.json",
                          R"({"metadata":{"total_size":1},"weight_map":)" + weight_map + "}");
  }
  std::string error() const {
    try {
      Checkpoint::open(folder_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      return error.what();
    }
    return "accepted";
  }
  void expect_error(const std::string& part) {
    EXPECT_NE(error().find(part), std::string::npos) << error();
  }

  fs::path folder_ = fs::path(testing::TempDir()) / "inlay_checkpoint_test";
};

TEST_F(CheckpointTest, ReadsOneFileAndShardsAlike) {
  write("model.safetensors", {"b", "aa"});
  Checkpoint single = Checkpoint::open(folder_);
  EXPECT_EQ(single.names(), (std::vector<std::string>{"aa", "b"}));
  std::string root = single.root_hash();
  fs::remove(folder_ / "model.safetensors");

  write("one.safetensors", {"b"});
  write("two.safetensors", {"aa"});
  write_index(R"({"b":"one.safetensors","aa":"two.safetensors"})");
  Checkpoint sharded = Checkpoint::open(folder_);
  EXPECT_EQ(sharded.tensor("aa").data<float>()[5], 2.0f);
  EXPECT_TRUE(sharded.contains("b"));
  EXPECT_FALSE(sharded.contains("c"));
  EXPECT_THROW(sharded.tensor("c"), Error);
  EXPECT_EQ(sharded.root_hash(), root);
}

// python3 -c 'import hashlib,json,struct
// h=lambda v: hashlib.sha256(b"F32 [2,3]\n"+struct.pack("<6f",*[v]*6)).hexdigest();
// d={"aa":h(2),"b":h(1)} print(d["b"],
// hashlib.sha256(json.dumps(d,sort_keys=True,separators=(",",":")).encode()).hexdigest())'
TEST_F(CheckpointTest, HashesFollowTheRecipe) {
  write("model.safetensors", {"b", "aa"});
  Checkpoint checkpoint = Checkpoint::open(folder_);
  EXPECT_EQ(checkpoint.tensor_hash("b"),
            "bd61725982b5e46343b754d7b58f79b42eb0f63048b0e35d35e7fb81e43b186a");
  EXPECT_EQ(checkpoint.root_hash(),
            "c01e37341d2f9fc83ca4c6eeb9f88cc69057896c6898a18269527dbfa9b38226");
}

TEST_F(CheckpointTest, HashingKeepsLittleResident) {
  std::vector<float> values(8u << 20, 1.0f);
  NamedTensor named{"w", Tensor::of<float>({8 << 20}, values)};
  write_safetensors(folder_ / "model.safetensors", std::span(&named, 1));
  named.tensor = Tensor();
  values = {};
  auto mapped_kb = [] {
    std::ifstream status("/proc/self/status");
    std::string word;
    long value = 0;
    while (status >> word) {
      if (word == "RssFile:" && status >> value) break;
    }
    return value;
  };
  long before = mapped_kb();
  Checkpoint checkpoint = Checkpoint::open(folder_);
  checkpoint.tensor_hash("w");
  EXPECT_LT(mapped_kb() - before, 8 << 10) << "KiB of 32 MiB";
}

TEST_F(CheckpointTest, AMissingShardIsNamed) {
  write("one.safetensors", {"b"});
  write_index(R"({"b":"one.safetensors","aa":"two.safetensors"})");
  expect_error("shard two.safetensors is missing");
}

TEST_F(CheckpointTest, IndexAndShardsMustAgree) {
  write("one.safetensors", {"b"});
  write("two.safetensors", {"aa"});
  write_index(R"({"b":"one.safetensors","aa":"one.safetensors"})");
  expect_error("places tensor \"aa\" in one.safetensors, which does not hold it");
  write("two.safetensors", {"aa", "b"});
  write_index(R"({"b":"one.safetensors","aa":"two.safetensors"})");
  expect_error(
      "tensor \"b\" is in shard two.safetensors, but the index places it in one.safetensors");
  write("two.safetensors", {"aa", "extra"});
  expect_error("tensor \"extra\" of shard two.safetensors is not in the index");
}

TEST_F(CheckpointTest, TheIndexIsNotTrusted) {
  write_index(R"({"b":"../one.safetensors"})");
  expect_error("not a plain file name");
  write_index(R"({"b":1})");
  expect_error("the file of tensor \"b\" is number; expected a string");
  write_index("[]");
  expect_error("expected an object with an object \"weight_map\"");
  write_index("{}");
  expect_error("names no tensor");
}

TEST_F(CheckpointTest, AFolderWithoutWeightsSaysWhatToDo) {
  expect_error("neither model.safetensors nor model.safetensors.index.json is there");
  write_file_atomically(folder_ / "pytorch_model.bin", std::string_view("x"));
  expect_error("convert it to safetensors");
  fs::remove_all(folder_);
  expect_error("there is no such model folder");
}

}  // namespace
}  // namespace inlay
