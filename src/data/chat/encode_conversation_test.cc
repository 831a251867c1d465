#include "data/chat/encode_conversation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "base/source_dir.h"
#include "data/test_files.h"

namespace inlay {
namespace {

const std::filesystem::path kGolden = source_dir() / "tests/golden";
constexpr std::int32_t kEndOfText = 2256;

// The cut vocabulary of GPT-2, with the special tokens that templates write.
Json tokenizer_file() {
  Json file = read_json(kGolden / "tokenizers/byte_level.json");
  int id = 3000;
  for (const char* content :
       {"<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>",
        "<|end_header_id|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|assistant|>"}) {
    file["added_tokens"].push_back(
        {{"id", id++}, {"content", content}, {"normalized", false}, {"special", true}});
  }
  return file;
}

Tokenizer tokenizer() { return Tokenizer::parse(tokenizer_file().dump(), "tokenizer.json"); }
Tokenizer gpt2() { return Tokenizer::load(kGolden / "tokenizers/byte_level.json"); }

ModelChatTemplate parsed(const std::string& source) {
  return {.ordinary = ChatTemplate::parse(source, "chat.jinja"),
          .tool_use = std::nullopt,
          .bos_token = "<s>",
          .eos_token = "</s>",
          .pad_token = std::nullopt,
          .unk_token = std::nullopt};
}

// One of the real templates that are compared with Jinja.
ModelChatTemplate real(const char* name) {
  static const Json golden = read_json(kGolden / "chat_templates.json");
  return parsed(golden.at("templates").at(name).get<std::string>());
}

Conversation talk(bool system = false) {
  Conversation c{.messages = OrderedJson::array()};
  if (system) c.messages.push_back({{"role", "system"}, {"content", "Be brief."}});
  c.messages.push_back({{"role", "user"}, {"content", "Hello, wörld!"}});
  c.messages.push_back({{"role", "assistant"}, {"content", "Hi thére."}});
  c.messages.push_back({{"role", "user"}, {"content", "Bye 😀"}});
  c.messages.push_back({{"role", "assistant"}, {"content", "Good night <3"}});
  return c;
}

Conversation plain(const std::string& prompt, const std::string& continuation) {
  return {.prompt = prompt, .continuation = continuation};
}

ConversationData data_of(std::vector<Conversation> conversations) {
  ConversationData data{.conversations = std::move(conversations)};
  data.files = {{.path = "chat.jsonl"}};
  for (std::size_t i = 0; i < data.conversations.size(); ++i)
    data.conversations[i].origin = {.line = i + 1, .row = i + 1};
  return data;
}

// What the tokens of the loss say.
std::string learned(const Tokenizer& tokenizer, const TrainingSequence& sequence) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < sequence.ids.size(); ++i) {
    if (sequence.in_loss[i] != 0) ids.push_back(sequence.ids[i]);
  }
  return tokenizer.decode(ids, false);
}

std::string learned(const Conversation& conversation, const ModelChatTemplate& chat_template,
                    LossOn loss = LossOn::kAssistant) {
  const Tokenizer words = tokenizer();
  return learned(words, encode_conversation(conversation, words, &chat_template, loss));
}

// --- messages ---

struct TemplateCase {
  const char* name;
  const char* learned;
};

class LossOfTemplate : public testing::TestWithParam<TemplateCase> {};

TEST_P(LossOfTemplate, IsTheAssistantsWordsAndTheTokenThatEndsThem) {
  EXPECT_EQ(learned(talk(), real(GetParam().name)), GetParam().learned);
}

INSTANTIATE_TEST_SUITE_P(
    Real, LossOfTemplate,
    testing::Values(TemplateCase{"chatml", "Hi thére.<|im_end|>Good night <3<|im_end|>"},
                    TemplateCase{"chatml_generation", "Hi thére.<|im_end|>Good night <3<|im_end|>"},
                    TemplateCase{"llama3", "Hi thére.<|eot_id|>Good night <3<|eot_id|>"},
                    TemplateCase{"zephyr", "Hi thére.</s>Good night <3</s>"},
                    TemplateCase{"gemma", "Hi thére.<end_of_turn>Good night <3<end_of_turn>"},
                    TemplateCase{"phi3", "Hi thére.<|end|>Good night <3<|end|>"},
                    // The blank before the words is of the same token as the first of them.
                    TemplateCase{"llama2", " Hi thére. </s> Good night <3 </s>"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(EncodeConversation, GivesTheIdsOfTheRenderedText) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = real("chatml");
  TrainingSequence s = encode_conversation(talk(true), words, &chat);
  const std::string text =
      "<|im_start|>system\nBe brief.<|im_end|>\n\n<|im_start|>user\nHello, wörld!<|im_end|>\n\n"
      "<|im_start|>assistant\nHi thére.<|im_end|>\n\n<|im_start|>user\nBye 😀<|im_end|>\n\n"
      "<|im_start|>assistant\nGood night <3<|im_end|>\n\n";
  EXPECT_EQ(s.ids, words.encode(text).ids);
  EXPECT_EQ(s.in_loss.size(), s.ids.size());
  EXPECT_TRUE(s.open_turns.empty());
}

TEST(EncodeConversation, SpecialTokensInUserTextStayText) {
  Conversation c = talk();
  c.messages[0]["content"] = "a<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>";
  c.messages[3]["content"] = "I <|im_end|> say";
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = real("chatml");
  TrainingSequence s = encode_conversation(c, words, &chat);
  EXPECT_EQ(std::count(s.ids.begin(), s.ids.end(), words.token_to_id("<|im_end|>")), 4);
  EXPECT_EQ(learned(words, s), "Hi thére.<|im_end|>I <|im_end|> say<|im_end|>");
}

TEST(EncodeConversation, SpecialTokensMadeOfARoleAreRead) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = parsed(
      "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}");
  Conversation c = talk();
  c.messages[0]["content"] = "<|assistant|>";
  TrainingSequence s = encode_conversation(c, words, &chat);
  EXPECT_EQ(std::count(s.ids.begin(), s.ids.end(), words.token_to_id("<|assistant|>")), 2);
  EXPECT_EQ(learned(words, s), "Hi thére.<|end|>Good night <3<|end|>");
}

TEST(EncodeConversation, LossOnEverythingLeavesOutTheFirstToken) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = real("chatml");
  TrainingSequence s = encode_conversation(talk(), words, &chat, LossOn::kAll);
  EXPECT_EQ(s.in_loss[0], 0);
  EXPECT_EQ(std::count(s.in_loss.begin(), s.in_loss.end(), 1),
            static_cast<std::ptrdiff_t>(s.ids.size()) - 1);
}

TEST(EncodeConversation, FlagsOfMessagesDecide) {
  Conversation c = talk();
  c.trained = {true, false, std::nullopt, std::nullopt};
  EXPECT_EQ(learned(c, real("chatml")), "Hello, wörld!<|im_end|>Good night <3<|im_end|>");
  EXPECT_EQ(learned(c, real("chatml"), LossOn::kMessages), "Hello, wörld!<|im_end|>");
  EXPECT_EQ(learned(c, real("chatml_generation")),
            "Hello, wörld!<|im_end|>Good night <3<|im_end|>");
}

TEST(EncodeConversation, AnswersOfAPreferenceAreLearnedAndItsPromptIsNot) {
  Conversation prompt = talk();
  prompt.messages.erase(3);
  Conversation answer{.messages =
                          OrderedJson::array({{{"role", "assistant"}, {"content", "No."}}})};
  EXPECT_EQ(learned(answered(prompt, answer), real("zephyr")), "No.</s>");
}

TEST(EncodeConversation, BosIsNotDoubledWhenTheTemplateWritesIt) {
  Json file = tokenizer_file();
  file["post_processor"] = Json::parse(R"({"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
      {"Sequence": {"id": "B", "type_id": 0}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [3000], "tokens": ["<s>"]}}})");
  const Tokenizer words = Tokenizer::parse(file.dump(), "tokenizer.json");
  const ModelChatTemplate chat = real("llama3");
  TrainingSequence s = encode_conversation(talk(), words, &chat);
  EXPECT_EQ(s.ids[0], 3000);
  EXPECT_EQ(std::count(s.ids.begin(), s.ids.end(), 3000), 1);
  TrainingSequence text = encode_conversation(plain("", "Hello"), words, nullptr);
  EXPECT_EQ(text.ids.front(), 3000);
  EXPECT_EQ(std::count(text.ids.begin(), text.ids.end(), 3000), 1);
  EXPECT_EQ(learned(words, text), "Hello</s>");
}

TEST(EncodeConversation, SignsAroundACallAreLearned) {
  Conversation c{.messages = OrderedJson::parse(R"([{"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function":
      {"name": "weather", "arguments": {"city": "Paris"}}}]},
    {"role": "tool", "content": "21"}, {"role": "assistant", "content": "Warm."}])")};
  EXPECT_EQ(learned(c, real("qwen")),
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n"
            "</tool_call><|im_end|>Warm.<|im_end|>");
  EXPECT_EQ(learned(c, real("llama3")),
            "{\"name\": \"weather\", \"parameters\": {\"city\": \"Paris\"}}<|eot_id|>"
            "Warm.<|eot_id|>");
}

// Qwen's template takes such a thought out of the content and puts the signs around it itself.
TEST(EncodeConversation, SignsAroundAThoughtInTheContentAreLearned) {
  for (const char* said : {"<think>\nr\n</think>\n\na", "<think>\nr\n</think>\n\n"}) {
    Conversation c{.messages = OrderedJson::array()};
    c.messages.push_back({{"role", "user"}, {"content", "Why?"}});
    c.messages.push_back({{"role", "assistant"}, {"content", said}});
    EXPECT_EQ(learned(c, real("qwen")), std::string(said) + "<|im_end|>");
    EXPECT_EQ(learned(c, parsed("{% for m in messages %}<|im_start|>{{ m.role }}\n"
                                "{{ m.content }}<|im_end|>\n{% endfor %}")),
              std::string(said) + "<|im_end|>");
  }
}

TEST(EncodeConversation, ATurnWhoseOpeningTheTemplateRefusesIsItsWordsAlone) {
  Conversation c{.messages = OrderedJson::array()};
  c.messages.push_back({{"role", "user"}, {"content", "Why?"}});
  c.messages.push_back({{"role", "assistant"}, {"content", "a"}, {"thinking", "r"}});
  EXPECT_EQ(learned(c, parsed("{% if messages[-1].role == 'user' %}{{ raise_exception('no') }}"
                              "{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n"
                              "{{ m.content }}<|im_end|>\n{% endfor %}")),
            "a<|im_end|>");
}

TEST(EncodeConversation, TheRestOfTheLineEndsATurnWithoutASpecialToken) {
  EXPECT_EQ(learned(talk(), parsed("{% for m in messages %}{{ m.role }}: {{ m.content }} ###\n"
                                   "{% endfor %}")),
            " Hi thére. ### Good night <3 ###");
}

TEST(EncodeConversation, CountsTurnsThatNothingEnds) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat =
      parsed("{% for m in messages %}{{ m.role }}\n{{ m.content }}\n\n{% endfor %}");
  TrainingSequence s = encode_conversation(talk(), words, &chat);
  ASSERT_EQ(s.open_turns.size(), 2u);
  auto first = static_cast<std::int64_t>(s.open_turns[0]);
  auto open_within = [&](std::int64_t max_tokens) {
    return encode_conversations(data_of({talk()}), words, &chat, {.max_tokens = max_tokens})
        .counts.open_turns;
  };
  EXPECT_EQ(open_within(0), 2);
  EXPECT_EQ(open_within(first), 1);
  EXPECT_EQ(open_within(first - 1), 0);
}

TEST(EncodeConversation, AsksForATemplateWhereThereIsNone) {
  EXPECT_INPUT_ERROR(encode_conversation(talk(), gpt2(), nullptr),
                     "a conversation needs a chat template, and the model has none");
}

// --- plain text ---

TEST(EncodeText, IsLearnedWithItsEnd) {
  const Tokenizer words = gpt2();
  TrainingSequence s = encode_conversation(plain("", "Hello, world"), words, nullptr);
  std::vector<std::int32_t> expected = words.encode("Hello, world").ids;
  expected.push_back(kEndOfText);
  EXPECT_EQ(s.ids, expected);
  EXPECT_EQ(s.in_loss[0], 0);
  EXPECT_EQ(std::count(s.in_loss.begin(), s.in_loss.end(), 1),
            static_cast<std::ptrdiff_t>(expected.size()) - 1);
}

TEST(EncodeText, CompletionIsLearnedAndItsPromptIsNot) {
  const Tokenizer words = gpt2();
  Conversation c = plain("Frage: wörld?", " Hello, world");
  TrainingSequence s = encode_conversation(c, words, nullptr);
  EXPECT_EQ(learned(words, s), " Hello, world<|endoftext|>");
  EXPECT_EQ(learned(words, encode_conversation(c, words, nullptr, LossOn::kAll)),
            words.decode(std::span(s.ids).subspan(1), false));
}

TEST(EncodeText, SpecialTokensInItStayText) {
  const Tokenizer words = gpt2();
  TrainingSequence s =
      encode_conversation(plain("a<|endoftext|>", "b<|endoftext|>"), words, nullptr);
  EXPECT_EQ(std::count(s.ids.begin(), s.ids.end(), kEndOfText), 1);
  EXPECT_EQ(learned(words, s), "b<|endoftext|><|endoftext|>");
}

TEST(EncodeText, PadEqualsEosKeepsEosInTheLoss) {
  TestFolder folder;
  folder.write("tokenizer.json", read_file(kGolden / "tokenizers/byte_level.json"));
  folder.write("tokenizer_config.json",
               R"({"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})");
  const Tokenizer words = Tokenizer::load(folder.path());
  ASSERT_EQ(words.special_id("pad"), words.special_id("eos"));
  TrainingSequence s = encode_conversation(plain("", "Hello"), words, nullptr);
  EXPECT_EQ(s.ids.back(), kEndOfText);
  EXPECT_EQ(s.in_loss.back(), 1);
  ModelChatTemplate chat = real("zephyr");
  chat.eos_token = "<|endoftext|>";
  EXPECT_EQ(learned(words, encode_conversation(talk(), words, &chat)),
            "Hi thére.<|endoftext|>Good night <3<|endoftext|>");
}

TEST(EncodeText, AsksForAnEos) {
  Json file = read_json(kGolden / "tokenizers/byte_level.json");
  file["added_tokens"] = Json::array();
  const Tokenizer words = Tokenizer::parse(file.dump(), "tokenizer.json");
  EXPECT_INPUT_ERROR(encode_conversation(plain("", "Hello"), words, nullptr),
                     "the tokenizer names no eos token");
}

// --- many, within a limit ---

TEST(EncodeConversations, CutsAtTheEndAndCounts) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = real("chatml");
  auto size = static_cast<std::int64_t>(encode_conversation(talk(), words, &chat).ids.size());
  EncodedConversations e =
      encode_conversations(data_of({talk(), talk()}), words, &chat, {.max_tokens = size - 3});
  ASSERT_EQ(e.sequences.size(), 2u);
  EXPECT_EQ(e.sequences[1].source, 1u);
  EXPECT_EQ(e.sequences[1].ids.size(), static_cast<std::size_t>(size - 3));
  // Gone are the end of the line, the end of the turn and the last word.
  EXPECT_EQ(learned(words, e.sequences[0]), "Hi thére.<|im_end|>Good night <");
  EXPECT_EQ(e.counts.truncated, 2);
  EXPECT_EQ(e.counts.tokens_cut, 6);
  EXPECT_EQ(e.counts.tokens, 2 * size - 6);
}

TEST(EncodeConversations, LeavesOutAndCountsWhatHasNothingToLearn) {
  const ModelChatTemplate chat = real("chatml");
  Conversation silent = talk();
  silent.trained = {std::nullopt, false, std::nullopt, false};
  EncodedConversations e = encode_conversations(data_of({silent, talk()}), tokenizer(), &chat, {});
  ASSERT_EQ(e.sequences.size(), 1u);
  EXPECT_EQ(e.sequences[0].source, 1u);
  EXPECT_EQ(e.counts.without_loss, 1);
  EXPECT_EQ(e.counts.conversations, 2);
  EXPECT_EQ(encode_conversations(data_of({talk()}), tokenizer(), &chat, {.max_tokens = 5})
                .counts.without_loss,
            1);
}

TEST(EncodeConversations, SplitsAtTurnsOfTheUserAndKeepsTheSystemMessage) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = real("chatml");
  Conversation whole = talk(true);
  const OrderedJson turns = whole.messages;
  for (int i = 0; i < 6; ++i) {
    for (std::size_t m = 1; m < turns.size(); ++m) whole.messages.push_back(turns[m]);
  }
  auto one = static_cast<std::int64_t>(encode_conversation(talk(true), words, &chat).ids.size());
  EncodedConversations e = encode_conversations(data_of({whole}), words, &chat,
                                                {.max_tokens = one, .too_long = TooLong::kSplit});
  ASSERT_EQ(e.sequences.size(), 7u);
  EXPECT_EQ(e.counts.split, 1);
  EXPECT_EQ(e.counts.pieces, 7);
  EXPECT_EQ(e.counts.truncated, 0);
  for (const TrainingSequence& piece : e.sequences)
    EXPECT_EQ(piece.ids, encode_conversation(talk(true), words, &chat).ids);
}

TEST(EncodeConversations, SplittingLosesNothingThatFits) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = real("chatml");
  Conversation whole = talk();
  for (int i = 0; i < 20; ++i) {
    whole.messages.push_back({{"role", "user"}, {"content", std::string(1 + i * 7 % 11, 'u')}});
    whole.messages.push_back({{"role", "assistant"}, {"content", fmt::format("answer {}", i)}});
  }
  for (std::int64_t limit : {60, 61, 75, 100, 1000}) {
    EncodedConversations e = encode_conversations(
        data_of({whole}), words, &chat, {.max_tokens = limit, .too_long = TooLong::kSplit});
    std::string all;
    for (const TrainingSequence& piece : e.sequences) {
      EXPECT_LE(static_cast<std::int64_t>(piece.ids.size()), limit);
      all += learned(words, piece);
    }
    EXPECT_EQ(e.counts.truncated, 0) << limit;
    EXPECT_EQ(all, learned(whole, chat)) << limit;
  }
}

TEST(EncodeConversations, CutsASingleExchangeThatIsTooLong) {
  const Tokenizer words = tokenizer();
  const ModelChatTemplate chat = real("chatml");
  Conversation whole = talk();
  whole.messages[1]["content"] = std::string(300, '!') + " " + std::string(300, '?');
  EncodedConversations e = encode_conversations(data_of({whole}), words, &chat,
                                                {.max_tokens = 40, .too_long = TooLong::kSplit});
  ASSERT_EQ(e.sequences.size(), 2u);
  EXPECT_EQ(e.sequences[0].ids.size(), 40u);
  EXPECT_EQ(e.counts.truncated, 1);
  EXPECT_EQ(learned(words, e.sequences[1]), "Good night <3<|im_end|>");
}

TEST(EncodeConversations, WindowsOfATextLearnEveryTokenOnce) {
  const Tokenizer words = gpt2();
  Conversation text = plain("", "Hello, world. The quick brown fox jumps over the lazy dog.");
  TrainingSequence whole = encode_conversation(text, words, nullptr);
  EncodedConversations e = encode_conversations(data_of({text}), words, nullptr,
                                                {.max_tokens = 5, .too_long = TooLong::kSplit});
  std::vector<std::int32_t> seen = {whole.ids[0]};
  for (const TrainingSequence& window : e.sequences) {
    ASSERT_LE(window.ids.size(), 5u);
    EXPECT_EQ(window.ids[0], seen.back());
    for (std::size_t i = 1; i < window.ids.size(); ++i) {
      EXPECT_EQ(window.in_loss[i], 1);
      seen.push_back(window.ids[i]);
    }
  }
  EXPECT_EQ(seen, whole.ids);
  EXPECT_EQ(e.counts.tokens_in_loss, static_cast<std::int64_t>(whole.ids.size()) - 1);
}

TEST(EncodeConversations, NamesTheConversationThatATemplateRefuses) {
  const ModelChatTemplate chat = real("gemma");
  EXPECT_INPUT_ERROR(encode_conversations(data_of({talk(), talk(true)}), tokenizer(), &chat, {}),
                     "chat.jsonl:2: chat.jinja:1:");
}

// gpt2() has neither <s> nor </s>, and chatml, which writes neither, is none the worse for it.
TEST(EncodeConversations, NamesTheTokenThatTheTokenizerLacks) {
  const ModelChatTemplate without = real("chatml"), ending = real("zephyr");
  EXPECT_EQ(encode_conversations(data_of({talk()}), gpt2(), &without, {}).sequences.size(), 1u);
  EXPECT_INPUT_ERROR(encode_conversations(data_of({talk()}), gpt2(), &ending, {}),
                     "chat.jsonl:1: the chat template writes </s>, the model's eos_token, which is "
                     "not in the tokenizer's vocabulary");
}

TEST(EncodeConversations, RefusesALimitWithoutRoom) {
  try {
    encode_conversations(data_of({}), gpt2(), nullptr, {.max_tokens = 1});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  }
}

TEST(EncodingCounts, SayWhatHappenedInOneLine) {
  EncodingCounts counts{.conversations = 3, .sequences = 4, .tokens = 1200, .tokens_in_loss = 380};
  EXPECT_EQ(counts.describe(), "3 conversations, 4 sequences: 1,200 tokens, 380 in the loss");
  counts.add({.truncated = 1,
              .tokens_cut = 96,
              .split = 1,
              .pieces = 2,
              .without_loss = 1,
              .open_turns = 5});
  EXPECT_EQ(counts.describe(),
            "3 conversations, 4 sequences: 1,200 tokens, 380 in the loss; 1 cut at the end (96 "
            "tokens lost), 1 split into 2 pieces, 1 left out with nothing in the loss, 5 turns "
            "without a token that ends them");
}

}  // namespace
}  // namespace inlay
