#include "data/chat/chat_data.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/ordered_json.h"
#include "data/test_files.h"

namespace inlay {
namespace {

OrderedJson json(std::string_view text) { return parse_ordered_json(text, "expected"); }

class ChatDataTest : public ::testing::Test {
 protected:
  ConversationData load(const std::string& name, const std::string& bytes,
                        std::optional<ChatFormat> format = {}) {
    return load_conversations({.from = {.paths = {folder_.write(name, bytes)}}, .format = format});
  }
  // A record that may be written over several lines here.
  static std::string one_line(std::string record) {
    std::replace(record.begin(), record.end(), '\n', ' ');
    return record;
  }
  ConversationData load_one(const std::string& record) {
    return load("one.jsonl", one_line(record));
  }
  OrderedJson messages(const std::string& record) {
    return load_one(record).conversations.at(0).messages;
  }
  TestFolder folder_;
};

TEST_F(ChatDataTest, ReadsRawText) {
  ConversationData data = load("a.jsonl", "{\"text\": \"One.\"}\n\n{\"text\": \"Two.\"}\n");
  EXPECT_EQ(data.layout.describe(), "format text (recognised by \"text\")");
  ASSERT_EQ(data.conversations.size(), 2u);
  EXPECT_TRUE(data.conversations[1].is_plain());
  EXPECT_EQ(data.conversations[1].prompt, "");
  EXPECT_EQ(data.conversations[1].continuation, "Two.");
  EXPECT_EQ(data.place(1), folder_.path() + "/a.jsonl:3");
  EXPECT_EQ(data.files[0].rows, 2u);
}

TEST_F(ChatDataTest, ReadsDocumentsBetweenBlankLines) {
  ConversationData data = load("a.txt", "\nOne\r\nmore.\n \n\n  Two.\nEnd");
  ASSERT_EQ(data.conversations.size(), 2u);
  EXPECT_EQ(data.conversations[0].continuation, "One\nmore.");
  EXPECT_EQ(data.conversations[0].origin.line, 2u);
  EXPECT_EQ(data.conversations[1].continuation, "  Two.\nEnd");
  EXPECT_EQ(data.conversations[1].origin.line, 6u);
}

TEST_F(ChatDataTest, ReadsCompletionsAsPlainText) {
  ConversationData data = load("a.csv", "prompt,completion\n2+2=,4\n");
  EXPECT_EQ(data.layout.describe(), "format completion (recognised by \"prompt\", \"completion\")");
  EXPECT_EQ(data.conversations[0].prompt, "2+2=");
  EXPECT_EQ(data.conversations[0].continuation, "4");
}

TEST_F(ChatDataTest, LearnsOnlyTheCompletionOfMessages) {
  ConversationData data = load_one(
      R"({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
      {"role": "user", "content": "c"}], "completion": [{"role": "assistant", "content": "d"}]})");
  EXPECT_EQ(data.conversations[0].messages.size(), 4u);
  EXPECT_EQ(data.conversations[0].trained,
            (std::vector<std::optional<bool>>{false, false, false, std::nullopt}));
}

TEST_F(ChatDataTest, ReadsAlpaca) {
  EXPECT_EQ(messages(R"({"instruction": "Add.", "input": "1, 2", "output": "3",
      "system": "Be brief.", "history": [["Hi", "Hello"]]})"),
            json(R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"},
      {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Add.\n1, 2"},
      {"role": "assistant", "content": "3"}])"));
  EXPECT_EQ(messages(R"({"instruction": "Add.", "input": "", "output": "3"})")[0]["content"],
            "Add.");
}

TEST_F(ChatDataTest, ReadsShareGpt) {
  ConversationData data = load("a.json", R"([{"conversations": [
    {"from": "system", "value": "S"}, {"from": "human", "value": "u"},
    {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"},
    {"from": "observation", "value": "o"}, {"from": "gpt", "value": "a"}],
    "tools": "[{\"name\": \"f\", \"parameters\": {}}]"}])");
  EXPECT_EQ(data.layout.describe(), "format sharegpt (recognised by \"conversations\")");
  EXPECT_EQ(data.conversations[0].messages, json(R"([{"role": "system", "content": "S"},
    {"role": "user", "content": "u"}, {"role": "assistant", "content": "", "tool_calls": [
      {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]},
    {"role": "tool", "content": "o"}, {"role": "assistant", "content": "a"}])"));
  EXPECT_EQ(data.conversations[0].tools,
            json(R"([{"type": "function", "function": {"name": "f", "parameters": {}}}])"));
}

TEST_F(ChatDataTest, ReadsMessagesWithFlagsAndCalls) {
  ConversationData data = load_one(
      R"({"messages": [{"role": "developer", "content": "S"},
    {"role": "user", "content": [{"type": "text", "text": "u"}, {"type": "text", "text": "v"}]},
    {"role": "assistant", "content": null, "weight": 0, "tool_calls": [{"id": "1", "type":
      "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "o"},
    {"role": "assistant", "content": "a", "train": true}], "tools": []})");
  EXPECT_EQ(data.conversations[0].messages, json(R"([{"role": "system", "content": "S"},
    {"role": "user", "content": "u\nv"}, {"role": "assistant", "content": "", "tool_calls": [
      {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]},
    {"role": "tool", "content": "o", "tool_call_id": "1"},
    {"role": "assistant", "content": "a"}])"));
  EXPECT_EQ(
      data.conversations[0].trained,
      (std::vector<std::optional<bool>>{std::nullopt, std::nullopt, false, std::nullopt, true}));
  EXPECT_TRUE(data.conversations[0].tools.is_null());
}

TEST_F(ChatDataTest, TellsMessagesFromShareGptByTheirRoles) {
  EXPECT_EQ(load_one(R"({"conversations": [{"role": "user", "content": "u"},
    {"role": "assistant", "content": "a"}]})")
                .layout.format,
            ChatFormat::kMessages);
  EXPECT_EQ(load_one(R"({"messages": [{"from": "human", "value": "u"},
    {"from": "bing", "value": "a"}]})")
                .layout.format,
            ChatFormat::kShareGpt);
}

TEST_F(ChatDataTest, PutsTheSystemsKeyBeforeMessagesThatHaveNoSystemMessage) {
  const std::string key = R"({"system": "S", )";
  const OrderedJson first = json(R"({"role": "system", "content": "S"})");
  OrderedJson read = messages(key + R"("messages": [{"role": "user", "content": "u"},
    {"role": "assistant", "content": "a"}]})");
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0], first);
  EXPECT_EQ(messages(key + R"("conversations": [{"role": "user", "content": "u"},
    {"role": "assistant", "content": "a"}]})")[0],
            first);
  for (const char* list :
       {R"("messages": [{"role": "system", "content": "T"}, {"role": "user", "content": "u"},
          {"role": "assistant", "content": "a"}]})",
        R"("conversations": [{"from": "system", "value": "T"}, {"from": "human", "value": "u"},
          {"from": "gpt", "value": "a"}]})"}) {
    read = messages(key + list);
    ASSERT_EQ(read.size(), 3u);
    EXPECT_EQ(read[0]["content"], "T");
  }
}

TEST_F(ChatDataTest, ReadsTheFormatThatIsNamed) {
  std::string both = R"({"text": "t", "prompt": "p", "completion": "c"})";
  EXPECT_EQ(load("a.jsonl", both).layout.format, ChatFormat::kCompletion);
  ConversationData data = load("b.jsonl", both, chat_format_named("text"));
  EXPECT_EQ(data.layout.describe(), "format text (named)");
  EXPECT_EQ(data.conversations[0].continuation, "t");
  EXPECT_INPUT_ERROR(load("c.jsonl", both, ChatFormat::kAlpaca),
                     "line 1: the keys are \"text\", \"prompt\", \"completion\"; expected "
                     "\"instruction\", \"output\" (alpaca)");
}

TEST(ChatFormats, AllHaveTheirNames) {
  ASSERT_EQ(chat_format_names().size(), 6u);
  for (std::string_view name : chat_format_names())
    EXPECT_EQ(name_of(chat_format_named(name)), name);
  try {
    chat_format_named("alpacca");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean \"alpaca\"?"), std::string::npos);
  }
}

// --- what is refused ---

class RefusedRecord : public ChatDataTest {
 protected:
  void refuses(const std::string& record, const std::string& message) {
    EXPECT_INPUT_ERROR(load("a.jsonl", "\n" + record + "\n"), "/a.jsonl: line 2: " + message);
  }
  static std::string turns(const std::string& turns) {
    return "{\"conversations\": [" + turns + "]}";
  }
};

TEST_F(RefusedRecord, ConversationEndingWithAUserTurn) {
  refuses(R"({"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}, )"
          R"({"from": "human", "value": "c"}]})",
          "the conversation ends with a turn of the user, from which nothing can be learned");
}

TEST_F(RefusedRecord, EmptyAssistantTurn) {
  refuses(
      R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": " "}]})",
      "message 2: the assistant's turn is empty");
  refuses(R"({"instruction": "a", "output": ""})", "message 2: the assistant's turn is empty");
}

TEST_F(RefusedRecord, NoAssistantTurnAtAll) {
  refuses(turns(R"({"from": "human", "value": "a"})"), "no turn of the assistant");
}

TEST_F(RefusedRecord, TwoUserTurnsInARowInShareGpt) {
  refuses(turns(R"({"from": "human", "value": "a"}, {"from": "human", "value": "b"}, )"
                R"({"from": "gpt", "value": "c"})"),
          "message 2: found a turn of the user; expected one of the assistant");
  EXPECT_EQ(messages(R"({"messages": [{"role": "user", "content": "a"}, {"role": "user",
      "content": "b"}, {"role": "assistant", "content": "c"}]})")
                .size(),
            3u);
}

TEST_F(RefusedRecord, ImpossibleOrders) {
  refuses(turns(R"({"from": "gpt", "value": "a"})"),
          "message 1: found a turn of the assistant; expected one of the user");
  refuses(R"({"messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]})",
          "message 2: a system message; expected it at the beginning only");
  refuses(R"({"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]})",
          "message 2: a tool answers, but no assistant's turn is before it");
}

TEST_F(RefusedRecord, UnknownRole) {
  refuses(turns(R"({"from": "humann", "value": "a"})"), "message 1: unknown role \"humann\"");
}

TEST_F(RefusedRecord, MissingKeys) {
  refuses(R"({"foo": 1})", "the keys are \"foo\"; expected \"chosen\", \"rejected\" (preference)");
  refuses(turns(R"({"from": "human"})"), "message 1: key \"value\" is missing; expected a string");
  EXPECT_INPUT_ERROR(load("a.jsonl", "{\"text\": \"a\"}\n{\"other\": \"b\"}\n"),
                     "line 2: key \"text\" is missing; expected a string; the keys are \"other\"");
}

TEST_F(RefusedRecord, ValuesOfWrongTypes) {
  refuses(R"({"messages": "a"})", "found string; expected a list of messages");
  refuses(R"({"messages": ["a"]})", "message 1: found string; expected {\"role\": …");
  refuses(R"({"messages": [{"role": "user", "content": [{"type": "image"}]}]})",
          "message 1: a part of the content is not of type \"text\"");
  refuses(R"({"messages": [{"role": "user", "content": "a", "weight": 0.5}]})",
          "message 1: \"weight\" is \"0.5\"; expected 0 or 1");
  refuses(R"({"instruction": "a", "output": "b", "history": [["x"]]})",
          "\"history\" holds \"[\"x\"]\"; expected pairs");
  refuses(R"({"text": 3})", "key \"text\" holds number; expected a string");
  refuses(R"({"text": " "})", "\"text\" is empty; expected a text to learn");
}

TEST_F(RefusedRecord, BrokenToolCalls) {
  refuses(turns(R"x({"from": "human", "value": "a"}, {"from": "function_call", "value": "f()"})x"),
          "message 2: not valid JSON at its byte");
  refuses(turns(R"({"from": "human", "value": "a"}, {"from": "function_call", "value": "{}"})"),
          "message 2: found a tool call without a function's name");
}

TEST_F(RefusedRecord, BrokenJson) {
  refuses("{\"text\": ", "not valid JSON at its byte");
  refuses("[1]", "found array; expected a JSON object");
  refuses(R"({"text": "a", "text": "b"})", "key \"text\" appears twice");
}

TEST_F(ChatDataTest, NamesTheRecordOfAnArrayOnOneLine) {
  EXPECT_INPUT_ERROR(load("a.json", R"([{"text": "a"}, {"text": ""}])"),
                     "a.json: line 1, record 2: \"text\" is empty");
  EXPECT_EQ(load("b.json", R"([{"text": "a"}, {"text": "b"}])").place(1),
            folder_.path() + "/b.json:1, record 2");
}

TEST_F(ChatDataTest, KeepsItsLimits) {
  std::string path = folder_.write("a.jsonl", "{\"text\": \"aaaaaaaaaa\"}\n{\"text\": \"b\"}\n");
  auto load_within = [&](ChatLimits limits) {
    return load_conversations({.from = {.paths = {path}}, .limits = limits});
  };
  EXPECT_INPUT_ERROR(load_within({.record_bytes = 16}), "line 1: a record of 22 bytes");
  EXPECT_INPUT_ERROR(load_within({.values = 3}), "line 2: more than 3 values in one file");
  EXPECT_EQ(load_within({.values = 4}).conversations.size(), 2u);
  std::string wide = "{\"text\": \"a\"";
  for (int i = 0; i < 1024; ++i) wide += fmt::format(", \"k{}\": 0", i);
  EXPECT_INPUT_ERROR(load("b.jsonl", wide + "}"), "more than 1024 keys");
  EXPECT_INPUT_ERROR(load("c.jsonl", "{\"text\": " + std::string(10'000, '[')),
                     "nested deeper than 256 levels");
}

TEST_F(ChatDataTest, SurvivesAFileCutAtAnyByte) {
  const std::string whole =
      R"([{"conversations": [{"from": "human", "value": "ü \" \u00e9"}, {"from": "function_call",)"
      "\n"
      R"( "value": "{\"name\": \"f\", \"arguments\": {\"x\": [1]}}"}, {"from": "tool", "value": "o"},)"
      R"({"from": "gpt", "value": "a", "weight": 1}], "system": "S", "tools": "[{\"name\": \"f\"}]"}])";
  EXPECT_EQ(load("a.json", whole).conversations.size(), 1u);
  for (const char* name : {"a.json", "a.jsonl", "a.csv", "a.txt"}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      try {
        ConversationData data = load(name, whole.substr(0, size));
        EXPECT_TRUE(name == std::string("a.txt")) << name << " cut at " << size;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
      }
    }
  }
}

// --- preferences ---

class PreferenceDataTest : public ChatDataTest {
 protected:
  PreferenceData load(const std::string& record) {
    return load_preferences({.from = {.paths = {folder_.write("p.jsonl", record)}}});
  }
};

TEST_F(PreferenceDataTest, ReadsTextsAsPlainText) {
  PreferenceData data = load(R"({"prompt": "2+2=", "chosen": "4", "rejected": "5"})");
  EXPECT_EQ(data.layout.describe(), "format preference (recognised by \"chosen\", \"rejected\")");
  Conversation whole = answered(data.preferences[0].prompt, data.preferences[0].rejected);
  EXPECT_EQ(whole.prompt, "2+2=");
  EXPECT_EQ(whole.continuation, "5");
}

TEST_F(PreferenceDataTest, TakesTheCommonPromptOutOfMessages) {
  const std::string chosen = R"("chosen": [{"role": "user", "content": "u"},
      {"role": "assistant", "content": "good"}])";
  const std::string rejected = R"("rejected": [{"role": "user", "content": "u"},
      {"role": "assistant", "content": "bad"}])";
  for (const char* prompt :
       {"", R"("prompt": "u", )", R"("prompt": [{"role": "user", "content": "u"}], )"}) {
    PreferenceData data = load(one_line("{" + (prompt + chosen) + ", " + rejected + "}"));
    const Preference& preference = data.preferences[0];
    EXPECT_EQ(preference.prompt.messages, json(R"([{"role": "user", "content": "u"}])"));
    EXPECT_EQ(preference.chosen.messages, json(R"([{"role": "assistant", "content": "good"}])"));
    EXPECT_EQ(preference.rejected.messages, json(R"([{"role": "assistant", "content": "bad"}])"));
    Conversation whole = answered(preference.prompt, preference.chosen);
    EXPECT_EQ(whole.messages.size(), 2u);
    EXPECT_EQ(whole.trained, (std::vector<std::optional<bool>>{false, std::nullopt}));
  }
}

TEST_F(PreferenceDataTest, PutsAPromptBeforeAnswersAlone) {
  PreferenceData data =
      load(R"({"prompt": "u", "chosen": [{"role": "assistant", "content": "a"}], )"
           R"("rejected": [{"role": "assistant", "content": "b"}]})");
  EXPECT_EQ(data.preferences[0].prompt.messages, json(R"([{"role": "user", "content": "u"}])"));
}

TEST_F(PreferenceDataTest, RefusesWhatIsNoPreference) {
  EXPECT_INPUT_ERROR(load(R"({"prompt": "p", "chosen": "a", "rejected": "a"})"),
                     "p.jsonl: line 1: \"chosen\" and \"rejected\" are equal");
  EXPECT_INPUT_ERROR(load(R"({"chosen": "a", "rejected": "b"})"), "key \"prompt\" is missing");
  EXPECT_INPUT_ERROR(load(R"({"prompt": "p", "chosen": "a", "rejected": ""})"),
                     "p.jsonl: line 1: \"rejected\" is empty; expected an answer");
  EXPECT_INPUT_ERROR(load(R"({"text": "a"})"), "the records are no preferences");
  EXPECT_INPUT_ERROR(
      ChatDataTest::load("c.jsonl", R"({"prompt": "p", "chosen": "a", "rejected": "b"})"),
      "the records are preferences (\"chosen\", \"rejected\")");
  EXPECT_INPUT_ERROR(load(R"({"prompt": [{"role": "system", "content": "s"}], )"
                          R"("chosen": [{"role": "user", "content": "u"}, {"role": "assistant", )"
                          R"("content": "a"}], "rejected": [{"role": "user", "content": "v"}, )"
                          R"({"role": "assistant", "content": "b"}]})"),
                     "there is no turn of the assistant; expected answers to the same prompt");
  EXPECT_INPUT_ERROR(load(R"({"prompt": "x", "chosen": [{"role": "user", "content": "u"}, )"
                          R"({"role": "assistant", "content": "a"}], "rejected": "b"})"),
                     "no message of \"chosen\" says what \"prompt\" does");
}

}  // namespace
}  // namespace inlay
