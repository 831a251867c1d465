#include "data/chat/dataset_info.h"

#include <gtest/gtest.h>

#include "data/chat/chat_data.h"
#include "data/test_files.h"

namespace inlay {
namespace {

class DatasetInfoTest : public ::testing::Test {
 protected:
  void info(const std::string& text) { folder_.write("dataset_info.json", text); }
  ConversationData load(const std::string& name = "") {
    return load_conversations({.from = {.paths = {path_of(name)}}});
  }
  std::string path_of(const std::string& name) const {
    return name.empty() ? folder_.path() : folder_.path() + "/" + name;
  }
  TestFolder folder_;
};

TEST_F(DatasetInfoTest, NamesFileFormatKeysAndTags) {
  folder_.write("mine.json", R"([{"turns": [{"who": "U", "what": "u"}, {"who": "A", "what": "a"}],
      "rules": "S"}])");
  info(R"({"mine": {"file_name": "mine.json", "formatting": "sharegpt",
      "columns": {"messages": "turns", "system": "rules"},
      "tags": {"role_tag": "who", "content_tag": "what", "user_tag": "U", "assistant_tag": "A"}}})");
  ConversationData data = load();
  EXPECT_EQ(data.layout.describe(), "format sharegpt (\"mine\" of dataset_info.json)");
  EXPECT_EQ(data.conversations[0].messages.dump(),
            R"([{"role":"system","content":"S"},{"role":"user","content":"u"},)"
            R"({"role":"assistant","content":"a"}])");
}

TEST_F(DatasetInfoTest, HasAlpacaAsItsDefault) {
  folder_.write("a.jsonl", R"({"instruction": "i", "input": "q", "output": "o"})");
  info(R"({"a": {"file_name": "a.jsonl"}})");
  EXPECT_EQ(load("a").conversations[0].messages.dump(),
            R"([{"role":"user","content":"i\nq"},{"role":"assistant","content":"o"}])");
}

TEST_F(DatasetInfoTest, ReadsOnlyTheColumnsThatAreNamed) {
  folder_.write("a.jsonl", R"({"say": "i", "input": "q", "reply": "o"})");
  info(R"({"a": {"file_name": "a.jsonl", "columns": {"prompt": "say", "response": "reply"}}})");
  EXPECT_EQ(load().conversations[0].messages[0]["content"], "i");
}

TEST_F(DatasetInfoTest, TakesAPromptAloneForRawText) {
  folder_.write("a.jsonl", R"({"body": "Once."})");
  info(R"({"a": {"file_name": "a.jsonl", "columns": {"prompt": "body"}}})");
  ConversationData data = load();
  EXPECT_EQ(data.layout.format, ChatFormat::kText);
  EXPECT_EQ(data.conversations[0].continuation, "Once.");
}

TEST_F(DatasetInfoTest, ReadsRankingsOfBothFormattings) {
  folder_.write("a.jsonl", R"({"instruction": "i", "input": "", "good": "g", "bad": "b"})");
  folder_.write("s.jsonl", R"({"conversations": [{"from": "human", "value": "i"}], )"
                           R"("good": {"from": "gpt", "value": "g"}, )"
                           R"("bad": {"from": "gpt", "value": "b"}})");
  info(R"({"a": {"file_name": "a.jsonl", "ranking": true, "columns": {"prompt": "instruction",
        "query": "input", "chosen": "good", "rejected": "bad"}},
      "s": {"file_name": "s.jsonl", "formatting": "sharegpt", "ranking": true, "columns":
        {"messages": "conversations", "chosen": "good", "rejected": "bad"}}})");
  for (const char* name : {"a", "s"}) {
    PreferenceData data = load_preferences({.from = {.paths = {path_of(name)}}});
    EXPECT_NE(data.layout.describe().find(" with ranking ("), std::string::npos);
    const Preference& one = data.preferences[0];
    EXPECT_EQ(one.prompt.messages.dump(), R"([{"role":"user","content":"i"}])");
    EXPECT_EQ(one.chosen.messages.dump(), R"([{"role":"assistant","content":"g"}])");
    EXPECT_EQ(one.rejected.messages.dump(), R"([{"role":"assistant","content":"b"}])");
  }
}

TEST_F(DatasetInfoTest, PutsTheSystemColumnOfOpenAiBeforeItsMessages) {
  const std::string turn = R"({"system": "S", "messages": [{"role": "user", "content": "u"})";
  folder_.write("o.jsonl", turn + R"(, {"role": "assistant", "content": "a"}]})");
  folder_.write("r.jsonl", turn + R"(], "good": {"role": "assistant", "content": "g"}, )"
                                  R"("bad": {"role": "assistant", "content": "b"}})");
  info(R"({"o": {"file_name": "o.jsonl", "formatting": "openai",
        "columns": {"messages": "messages", "system": "system"}},
      "r": {"file_name": "r.jsonl", "formatting": "openai", "ranking": true, "columns":
        {"messages": "messages", "system": "system", "chosen": "good", "rejected": "bad"}}})");
  const std::string prompt = R"([{"role":"system","content":"S"},{"role":"user","content":"u"})";
  EXPECT_EQ(load("o").conversations[0].messages.dump(),
            prompt + R"(,{"role":"assistant","content":"a"}])");
  PreferenceData data = load_preferences({.from = {.paths = {path_of("r")}}});
  EXPECT_EQ(data.preferences[0].prompt.messages.dump(), prompt + "]");
}

TEST_F(DatasetInfoTest, AsksForANameAmongSeveral) {
  folder_.write("a.jsonl", R"({"instruction": "i", "output": "o"})");
  info(R"({"aa": {"file_name": "a.jsonl"}, "bb": {"file_name": "a.jsonl"}})");
  EXPECT_INPUT_ERROR(load(),
                     "holds the data sets \"aa\", \"bb\"; name the one that is meant "
                     "behind the folder, such as " +
                         path_of("aa"));
  EXPECT_INPUT_ERROR(load("ba"), "there is no data set \"ba\"");
  EXPECT_EQ(load("bb").conversations.size(), 1u);
}

TEST_F(DatasetInfoTest, LeavesFilesOfTheFolderToThemselves) {
  folder_.write("a.jsonl", R"({"instruction": "i", "output": "o"})");
  folder_.write("bb", R"({"text": "t"})");
  info(R"({"aa": {"file_name": "a.jsonl"}, "bb": {"file_name": "a.jsonl"}})");
  EXPECT_EQ(dataset_choice(path_of("aa")).name, "aa");
  EXPECT_TRUE(dataset_choice(path_of("bb")).file.empty());
  EXPECT_TRUE(dataset_choice(path_of("a.jsonl")).file.empty());
  EXPECT_TRUE(dataset_choice(path_of("none/aa")).file.empty());
  EXPECT_TRUE(dataset_choice("-").file.empty());
}

TEST_F(DatasetInfoTest, RefusesWhatLiesElsewhere) {
  info(R"({"a": {"hf_hub_url": "somebody/something"}})");
  EXPECT_INPUT_ERROR(load(), "dataset_info.json: \"a\": \"hf_hub_url\" lies elsewhere");
  info(R"({"a": {"script_url": "loader"}})");
  EXPECT_INPUT_ERROR(load(), "\"script_url\" lies elsewhere");
}

TEST_F(DatasetInfoTest, StaysInsideItsFolder) {
  folder_.write("outside.jsonl", R"({"instruction": "i", "output": "o"})");
  std::filesystem::create_directories(folder_.path() + "/in/deeper");
  folder_.write("in/deeper/a.jsonl", R"({"instruction": "i", "output": "o"})");
  std::filesystem::create_symlink("../outside.jsonl", folder_.path() + "/in/link.jsonl");
  auto load_file = [&](const std::string& name) {
    folder_.write("in/dataset_info.json", R"({"a": {"file_name": ")" + name + "\"}}");
    return load_conversations({.from = {.paths = {folder_.path() + "/in/dataset_info.json"}}});
  };
  EXPECT_EQ(load_file("deeper/a.jsonl").conversations.size(), 1u);
  EXPECT_THROW(load_file("../outside.jsonl"), Error);
  EXPECT_THROW(load_file(folder_.path() + "/outside.jsonl"), Error);
  EXPECT_THROW(load_file(""), Error);
  EXPECT_INPUT_ERROR(load_file("link.jsonl"), "a link out of the folder");
  EXPECT_INPUT_ERROR(load_file("none.jsonl"), "there is no such file beside dataset_info.json");
}

TEST_F(DatasetInfoTest, RefusesWhatItCannotHonour) {
  auto refuses = [&](const std::string& members, const std::string& message) {
    info(R"({"a": {"file_name": "a.jsonl", )" + members + "}}");
    EXPECT_INPUT_ERROR(load(), message);
  };
  folder_.write("a.jsonl", R"({"instruction": "i", "output": "o"})");
  refuses(R"("formatting": "chatml")", "formatting is \"chatml\"; expected \"alpaca\"");
  refuses(R"("num_samples": 5)", "\"num_samples\" is not supported");
  refuses(R"("columns": {"images": "i"})", "the column \"images\" is not supported");
  refuses(R"("columns": {"kto_tag": "k"})", "the column \"kto_tag\" is not supported");
  refuses(R"("columns": {"promt": "i"})", "unknown column \"promt\"");
  refuses(R"("columns": [])", "\"columns\" is array; expected an object");
  info("[]");
  EXPECT_INPUT_ERROR(load(), "found array; expected an object of data sets");
}

}  // namespace
}  // namespace inlay
