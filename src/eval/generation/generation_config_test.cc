#include "eval/generation/generation_config.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

class GenerationConfigTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  GenerationOptions read(const Json& config) {
    write_file_atomically(folder_ / "generation_config.json", config.dump());
    return read_generation_config(folder_);
  }
  void expect_error(const Json& config, const std::vector<std::string>& parts) {
    try {
      read(config);
      ADD_FAILURE() << "no error for " << config.dump();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
      EXPECT_NE(std::string(error.what()).find("generation_config.json"), std::string::npos);
      for (const std::string& part : parts)
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  fs::path folder_ =
      fs::temp_directory_path() / fmt::format("inlay_generation_config_{}", ::getpid());
};

TEST_F(GenerationConfigTest, WithoutFilesAllIsAsByDefault) {
  const GenerationOptions options = read_generation_config(folder_);
  EXPECT_TRUE(same_fields(options, GenerationOptions{}));
  EXPECT_TRUE(options.eos_token_ids.empty());
}

TEST_F(GenerationConfigTest, ReadsWhatModelsAreSampledWith) {
  const GenerationOptions options = read({{"bos_token_id", 151643},
                                          {"do_sample", true},
                                          {"eos_token_id", {151645, 151643}},
                                          {"max_new_tokens", 2048},
                                          {"min_p", 0.05},
                                          {"pad_token_id", 151643},
                                          {"repetition_penalty", 1.1},
                                          {"stop_strings", "\n\n"},
                                          {"temperature", 0.6},
                                          {"top_k", 20},
                                          {"top_p", 0.95},
                                          {"transformers_version", "4.51.0"}});
  EXPECT_EQ(to_json(options), (Json{{"do_sample", true},
                                    {"logprobs", 0},
                                    {"max_new_tokens", 2048},
                                    {"min_new_tokens", 0},
                                    {"min_p", 0.05},
                                    {"repetition_penalty", 1.1},
                                    {"seed", 0},
                                    {"stop_strings", {"\n\n"}},
                                    {"temperature", 0.6},
                                    {"top_k", 20},
                                    {"top_p", 0.95}}));
  EXPECT_EQ(options.eos_token_ids, (std::vector<int32_t>{151645, 151643}));
}

TEST_F(GenerationConfigTest, NullIsTheDefault) {
  const GenerationOptions options =
      read({{"top_k", nullptr}, {"min_p", nullptr}, {"num_beams", nullptr}, {"temperature", 1}});
  EXPECT_TRUE(same_fields(options, GenerationOptions{}));
}

TEST_F(GenerationConfigTest, TakesEosFromTheModelWhereTheFileHasNone) {
  write_file_atomically(folder_ / "config.json", R"({"eos_token_id": 7})");
  EXPECT_EQ(read_generation_config(folder_).eos_token_ids, (std::vector<int32_t>{7}));
  EXPECT_EQ(read(Json::object()).eos_token_ids, (std::vector<int32_t>{7}));
  EXPECT_EQ(read({{"eos_token_id", 2}}).eos_token_ids, (std::vector<int32_t>{2}));
}

TEST_F(GenerationConfigTest, RefusesWhatItCannotDo) {
  expect_error({{"num_beams", 4}}, {"\"num_beams\" is 4", "expected 1"});
  expect_error({{"no_repeat_ngram_size", 3}}, {"no_repeat_ngram_size"});
  expect_error({{"suppress_tokens", {1, 2}}}, {"suppress_tokens"});
  expect_error({{"something_new", 3}}, {"something_new", "unknown"});
}

TEST_F(GenerationConfigTest, RefusesValuesThatMakeNoSense) {
  expect_error({{"temperature", "hot"}}, {"temperature"});
  expect_error({{"temperature", -1}}, {"temperature is -1"});
  expect_error({{"top_k", 1.5}}, {"top_k"});
  expect_error({{"top_p", 1.01}}, {"top_p is 1.01; expected 0 to 1"});
  expect_error({{"repetition_penalty", 0}}, {"repetition_penalty is 0"});
  expect_error({{"max_new_tokens", 4}, {"min_new_tokens", 5}}, {"min_new_tokens is 5"});
  expect_error({{"stop_strings", {""}}}, {"a stop string has 0 bytes"});
  expect_error({{"stop_strings", 4}}, {"stop_strings"});
  for (const Json& eos : {Json(-1), Json("</s>"), Json(1.5), Json({2, nullptr}), Json(1LL << 31)})
    expect_error({{"eos_token_id", eos}}, {"eos_token_id", "expected token ids"});
  expect_error({{"eos_token_id", Json(std::vector<int>(1025, 2))}}, {"1025 ids"});
  expect_error(Json::array(), {"expected a JSON object"});
}

TEST(GenerationOptions, ReadAndWriteAsText) {
  GenerationOptions options;
  apply_text(options, "do_sample=true,min_p=0.05,stop_strings=a+b", "--generation");
  EXPECT_EQ(options.stop_strings, (std::vector<std::string>{"a", "b"}));
  GenerationOptions again;
  apply_text(again, to_text(options), "again");
  EXPECT_TRUE(same_fields(options, again));
}

}  // namespace
}  // namespace inlay
