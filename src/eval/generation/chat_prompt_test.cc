// The tokens that end a text, by what a base says about them.
#include "eval/generation/chat_prompt.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "base/source_dir.h"
#include "formats/gguf.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int32_t>;

class EndingTokensTest : public testing::Test {
 protected:
  EndingTokensTest() { fs::create_directories(folder_); }
  ~EndingTokensTest() override { fs::remove_all(folder_); }

  fs::path file(const GgufMetadata& metadata) const {
    write_gguf(folder_ / "model.gguf", metadata, {});
    return folder_ / "model.gguf";
  }

  fs::path folder_ = fs::path(testing::TempDir()) / fmt::format("inlay_ending_tokens_{}", getpid());
  Tokenizer tokenizer_ = Tokenizer::load(source_dir() / "tests/golden/tokenizers/byte_level.json");
};

TEST_F(EndingTokensTest, OfAFolderAreThoseOfItsGenerationConfig) {
  EXPECT_EQ(ending_tokens(folder_, tokenizer_), Ids{2256});
  write_file_atomically(folder_ / "generation_config.json", R"({"eos_token_id": [7, 9]})");
  EXPECT_EQ(ending_tokens(folder_, tokenizer_), (Ids{7, 9}));
}

TEST_F(EndingTokensTest, OfAGgufFileAreThoseOfItsMetadata) {
  GgufMetadata metadata;
  metadata.set("general.architecture", GgufValue::of(std::string("llama")));
  EXPECT_EQ(ending_tokens(file(metadata), tokenizer_), Ids{2256});
  metadata.set("tokenizer.ggml.tokens",
               GgufValue::array_of(std::vector<std::string>{"a", "<eos>", "<end_of_turn>"}));
  metadata.set("tokenizer.ggml.eos_token_id", GgufValue::of(uint32_t{1}));
  EXPECT_EQ(ending_tokens(file(metadata), tokenizer_), (Ids{1, 2}));
}

}  // namespace
}  // namespace inlay
