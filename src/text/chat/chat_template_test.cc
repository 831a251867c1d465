#include "text/chat/chat_template.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/source_dir.h"

namespace inlay {
namespace {

const std::filesystem::path kGolden = source_dir() / "tests/golden/chat_templates.json";

constexpr const char* kChatMl =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n\n{{ m.content | trim }}<|im_end|>\n"
    "{% endfor %}";

OrderedJson conversation(const std::string& user, const std::string& assistant) {
  return {{{"role", "user"}, {"content", user}}, {{"role", "assistant"}, {"content", assistant}}};
}

Rendered render(std::string_view source, const OrderedJson& messages = OrderedJson::array(),
                const RenderOptions& options = {}) {
  return ChatTemplate::parse(source, "chat.jinja").render(messages, options);
}

std::string error_of(std::string_view source, const OrderedJson& messages = OrderedJson::array()) {
  try {
    render(source, messages);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

// The characters that came from one message, role apart.
std::string words_of(const Rendered& rendered, int message) {
  std::string words;
  for (const Span& span : rendered.spans) {
    if (span.message == message && !span.role) {
      words += rendered.text.substr(span.begin, span.end - span.begin);
    }
  }
  return words;
}

void expect_gapless(const Rendered& rendered) {
  std::size_t at = 0;
  for (const Span& span : rendered.spans) {
    EXPECT_EQ(span.begin, at);
    EXPECT_LT(span.begin, span.end);
    at = span.end;
  }
  EXPECT_EQ(at, rendered.text.size());
}

// --- against Jinja itself ---

std::optional<std::string> optional_string(const OrderedJson& test, const char* key) {
  if (!test.contains(key)) return std::nullopt;
  return test.at(key).get<std::string>();
}

// What the file holds once for many cases.
const OrderedJson& shared_or_own(const OrderedJson& values, const OrderedJson& own) {
  const bool named = own.is_string() && values.contains(own.get_ref<const std::string&>());
  return named ? values.at(own.get_ref<const std::string&>()) : own;
}

RenderOptions options_of(const OrderedJson& test, const OrderedJson& golden) {
  RenderOptions options{.add_generation_prompt = test.value("add_generation_prompt", false),
                        .bos_token = optional_string(test, "bos_token"),
                        .eos_token = optional_string(test, "eos_token")};
  if (test.contains("tools")) options.tools = golden.at("tools");
  options.further = test.value("further", OrderedJson::object());
  if (options.further == "shared") options.further = golden.at("further");
  // 26 July 2024, a Friday and the 208th day, 14:05:09.
  options.now = std::tm{.tm_sec = 9,
                        .tm_min = 5,
                        .tm_hour = 14,
                        .tm_mday = 26,
                        .tm_mon = 6,
                        .tm_year = 124,
                        .tm_wday = 5,
                        .tm_yday = 207};
  return options;
}

OrderedJson generated_ranges(const Rendered& rendered) {
  OrderedJson ranges = OrderedJson::array();
  for (const Span& span : rendered.spans) {
    if (!span.generation) continue;
    const bool continues = !ranges.empty() && ranges.back()[1] == span.begin;
    if (continues) ranges.back()[1] = span.end;
    if (!continues) ranges.push_back({span.begin, span.end});
  }
  return ranges;
}

OrderedJson outcome(const OrderedJson& test, const OrderedJson& golden) {
  const auto source = shared_or_own(golden.at("templates"), test.at("template")).get<std::string>();
  const OrderedJson& messages = shared_or_own(golden.at("conversations"), test.at("messages"));
  try {
    const Rendered rendered = render(source, messages, options_of(test, golden));
    expect_gapless(rendered);
    OrderedJson result = {{"text", rendered.text}};
    const OrderedJson ranges = generated_ranges(rendered);
    if (!ranges.empty()) result["generation"] = ranges;
    return result;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
    return {{"error", error.what()}};
  }
}

TEST(ChatTemplateGolden, RendersWhatJinjaRenders) {
  const OrderedJson golden = OrderedJson::parse(read_file(kGolden));
  ASSERT_GE(golden.at("cases").size(), 120u);
  for (const OrderedJson& test : golden.at("cases")) {
    const OrderedJson found = outcome(test, golden);
    const OrderedJson& expected = test.at("expected");
    if (expected.contains("error") && found.contains("error")) continue;
    EXPECT_EQ(found, expected) << test.at("name") << "\n" << test.at("template");
  }
}

// --- marks ---

TEST(ChatTemplateMarks, SpecialTokensInUserTextStayMarkedAsInput) {
  const Rendered rendered = render(kChatMl, conversation("a<|im_end|>b", "c"));
  expect_gapless(rendered);
  EXPECT_EQ(words_of(rendered, 0), "a<|im_end|>b");
  EXPECT_EQ(words_of(rendered, 1), "c");
  EXPECT_EQ(words_of(rendered, Span::kTemplate),
            "<|im_start|>\n\n<|im_end|>\n<|im_start|>\n\n<|im_end|>\n");
}

TEST(ChatTemplateMarks, RolesAreInputButNobodysWords) {
  const Rendered rendered = render("{{ messages[1].role }}:", conversation("a", "b"));
  ASSERT_EQ(rendered.spans.size(), 2u);
  EXPECT_EQ(rendered.spans[0], (Span{.begin = 0, .end = 9, .message = 1, .role = true}));
  EXPECT_TRUE(rendered.spans[0].is_input());
  EXPECT_FALSE(rendered.spans[1].is_input());
}

TEST(ChatTemplateMarks, ToolsAndFurtherVariablesAreInputOfNoMessage) {
  RenderOptions options{.bos_token = "<s>"};
  options.tools = OrderedJson::array({{{"name", "<|im_end|>"}}});
  options.further = {{"date", "today"}};
  const Rendered rendered =
      render("{{ bos_token }}{{ tools[0].name ~ date }}", OrderedJson::array(), options);
  EXPECT_EQ(words_of(rendered, Span::kTemplate), "<s>");
  EXPECT_EQ(words_of(rendered, Span::kVariable), "<|im_end|>today");
}

struct MarkCase {
  const char* expression;
  const char* text;
  const char* words;  // of the message " <B>é-b "
};

class MarksSurvive : public testing::TestWithParam<MarkCase> {};

TEST_P(MarksSurvive, InWhatIsMadeOfTheText) {
  const std::string source =
      "{% set c = messages[0].content %}" + std::string(GetParam().expression);
  const Rendered rendered = render(source, conversation(" <B>é-b ", ""));
  expect_gapless(rendered);
  EXPECT_EQ(rendered.text, GetParam().text);
  EXPECT_EQ(words_of(rendered, 0), GetParam().words);
}

INSTANTIATE_TEST_SUITE_P(
    All, MarksSurvive,
    testing::Values(
        MarkCase{"{{ '[' + c.strip() + ']' }}", "[<B>é-b]", "<B>é-b"},
        MarkCase{"{{ '[' ~ c | trim ~ ']' }}", "[<B>é-b]", "<B>é-b"},
        MarkCase{"{{ ('x' ~ c)[0:3] }}", "x <", " <"},
        MarkCase{"{{ c[::-1] }}", " b-é>B< ", " b-é>B< "},
        MarkCase{"{{ c | upper | trim }}", "<B>É-B", "<B>É-B"},
        MarkCase{"{{ ('ß' ~ c.strip()).upper() }}", "SS<B>É-B", "<B>É-B"},
        MarkCase{"{{ c | trim | capitalize }}", "<b>é-b", "<b>é-b"},
        MarkCase{"{{ c | trim | title }}", "<B>é-B", "<B>é-B"},
        MarkCase{"{{ c.strip().replace('B', 'xy') }}", "<xy>é-b", "<>é-b"},
        MarkCase{"{{ 'a_b' | replace('_', c | trim) }}", "a<B>é-bb", "<B>é-b"},
        MarkCase{"{{ c.split('-')[1] ~ '-' }}", "b -", "b "},
        MarkCase{"{{ c.split() | join(',') }}", "<B>é-b", "<B>é-b"},
        MarkCase{"{{ [c | trim, 1, 'z'] | join('|') }}", "<B>é-b|1|z", "<B>é-b"},
        MarkCase{"{{ c | trim | e }}", "&lt;B&gt;é-b", "&lt;B&gt;é-b"},
        MarkCase{"{{ c | trim | tojson }}", "\"<B>é-b\"", "\"<B>é-b\""},
        MarkCase{"{{ {'k': c} | tojson }}", "{\"k\": \" <B>é-b \"}", "\" <B>é-b \""},
        MarkCase{"{{ [c] }}", "[' <B>é-b ']", "' <B>é-b '"},
        MarkCase{"{{ c | trim | indent(2, first=true) }}", "  <B>é-b", "<B>é-b"},
        MarkCase{"{{ c.partition('>')[2] }}", "é-b ", "é-b "},
        MarkCase{"{{ c.strip() * 2 }}", "<B>é-b<B>é-b", "<B>é-b<B>é-b"},
        MarkCase{"{{ c | list | last ~ (c | first) }}", "  ", "  "},
        MarkCase{"{% set x %}<{{ c }}>{% endset %}{{ x | trim('<') }}", " <B>é-b >", " <B>é-b "},
        MarkCase{"{% filter upper %}a{{ c }}{% endfilter %}", "A <B>É-B ", " <B>É-B "},
        MarkCase{"{% macro m(x) %}({{ x }}){% endmacro %}{{ m(c) }}", "( <B>é-b )", " <B>é-b "},
        MarkCase{"{% for x in c %}{{ x }}.{% endfor %}", " .<.B.>.é.-.b. .", " <B>é-b "}));

TEST(ChatTemplateMarks, JsonOfAMessageIsTheMessages) {
  OrderedJson messages = conversation("u", "");
  messages[1]["tool_calls"] = OrderedJson::array({{{"name", "f"}, {"arguments", {{"n", 2}}}}});
  const Rendered rendered =
      render("<call>{{ messages[1].tool_calls[0] | tojson }}</call>", messages);
  EXPECT_EQ(words_of(rendered, 1), "{\"name\": \"f\", \"arguments\": {\"n\": 2}}");
}

TEST(ChatTemplateMarks, GenerationCoversTemplateTextToo) {
  const Rendered rendered = render(
      "{% for m in messages %}{{ m.role }}{% generation %}{{ m.content }}.{% endgeneration %}"
      "{% endfor %}",
      conversation("a", "b"));
  EXPECT_TRUE(rendered.has_generation);
  EXPECT_EQ(rendered.spans[1], (Span{.begin = 4, .end = 5, .message = 0, .generation = true}));
  EXPECT_EQ(rendered.spans[2], (Span{.begin = 5, .end = 6, .generation = true}));
}

TEST(ChatTemplateMarks, AssistantSpansComeFromGenerationBlocks) {
  const OrderedJson messages = conversation("a", "b");
  const Rendered rendered = render(
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}."
      "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}",
      messages);
  const std::vector<Span> spans = assistant_spans(rendered, messages);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans.front().begin, 1u);
  EXPECT_EQ(spans.back().end, 3u);
}

TEST(ChatTemplateMarks, AssistantSpansComeFromTheMessagesWithoutGenerationBlocks) {
  const OrderedJson messages = conversation("question", " answer ");
  const Rendered rendered = render(kChatMl, messages);
  const std::vector<Span> spans = assistant_spans(rendered, messages);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(rendered.text.substr(spans[0].begin, spans[0].end - spans[0].begin), "answer");
}

// --- errors ---

TEST(ChatTemplateErrors, SayLineAndColumn) {
  EXPECT_EQ(error_of("a\nb {% if x %}\n{{ 1 + }}{% endif %}"),
            "chat.jinja:3:8: expected an expression, found the end of the tag");
  EXPECT_EQ(error_of("é{{ x | uper }}"),
            "chat.jinja:1:9: filter 'uper' is not supported; did you mean 'upper'?");
  EXPECT_EQ(error_of("\n{% include 'x' %}"),
            "chat.jinja:2:4: the statement 'include' is not supported in chat templates");
  EXPECT_EQ(error_of("{% for x in y %}\n"),
            "chat.jinja:1:17: expected {% endfor %} for the block of line 1, found the end");
  EXPECT_EQ(error_of("{{ f(*x) }}"),
            "chat.jinja:1:6: arguments spread with * or ** are not supported");
}

TEST(ChatTemplateErrors, OfRenderingSayWhereTheyHappened) {
  EXPECT_EQ(error_of("a\n\n{{ nope.x }}"),
            "chat.jinja:3:8: 'nope' is undefined, so it has no attribute 'x'");
  EXPECT_EQ(error_of("{% if true %}\n{{ raise_exception('Roles must alternate') }}{% endif %}"),
            "chat.jinja:2:4: the template refuses the conversation: Roles must alternate");
  EXPECT_EQ(error_of("{{ 'a' + 1 }}"),
            "chat.jinja:1:4: '+' does not work between a string and a integer");
}

TEST(ChatTemplateErrors, AnEndOfTurnsThatTheTokenizerDoesNotName) {
  const OrderedJson talk = conversation("a", "b");
  const std::string advice =
      ": the template ends turns with eos_token, and the tokenizer names none; name the token in "
      "the tokenizer's configuration";
  EXPECT_EQ(error_of("{% for m in messages %}\n{{ m.content }}{{ eos_token }}{% endfor %}", talk),
            "chat.jinja:2:19" + advice);
  EXPECT_EQ(error_of("{% for m in messages %}\n{{ m.content ~ eos_token }}{% endfor %}", talk),
            "chat.jinja:2:16" + advice);
  EXPECT_EQ(error_of("{{ '' if eos_token is undefined }}{{ bos_token }}"), "no error");
}

TEST(ChatTemplateErrors, NameAMessageThatIsNotUtf8) {
  EXPECT_EQ(error_of("{{ messages }}", conversation("a", "b\xff")),
            "messages[1] is not UTF-8: its byte 1 is invalid");
  EXPECT_EQ(error_of("a\xff"), "chat.jinja: the chat template is not UTF-8: its byte 1 is invalid");
}

TEST(ChatTemplateErrors, RefuseMessagesThatAreNoList) {
  EXPECT_EQ(error_of("", OrderedJson::object()),
            "messages are object; expected a list of objects with \"role\" and \"content\"");
}

// --- limits ---

void expect_error_holds(const std::string& error, const char* part) {
  EXPECT_NE(error.find(part), std::string::npos) << error;
}

TEST(ChatTemplateLimits, OfTheSource) {
  expect_error_holds(error_of(std::string((1 << 20) + 1, 'a')), "at most 1048576 are allowed");
  expect_error_holds(error_of("{{ " + std::string(500, '(') + "1" + std::string(500, ')') + " }}"),
                     "nested deeper than 120 levels");
  std::string ifs;
  for (int i = 0; i < 500; ++i) ifs += "{% if x %}";
  expect_error_holds(error_of(ifs), "nested deeper than 120 levels");
  std::string sum = "{{ 1";
  for (int i = 0; i < 5000; ++i) sum += "+1";
  expect_error_holds(error_of(sum + " }}"), "deeper than 240 levels");
  std::string nots = "{{ ";
  for (int i = 0; i < 5000; ++i) nots += "not ";
  expect_error_holds(error_of(nots + "x }}"), "nested deeper than 120 levels");
}

TEST(ChatTemplateLimits, OfLoops) {
  expect_error_holds(
      error_of("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
      "loops too long");
  expect_error_holds(error_of("{{ range(1000000000000) }}"), "at most 100000 are allowed");
}

TEST(ChatTemplateLimits, OfText) {
  expect_error_holds(error_of("{% set ns = namespace(t='ab') %}{% for i in range(99) %}"
                              "{% set ns.t = ns.t + ns.t %}{% endfor %}"),
                     "grows beyond 64 MiB");
  expect_error_holds(error_of("{{ 'ab' * 1000000000000 }}"), "grows beyond 64 MiB");
  expect_error_holds(error_of("{{ ('a' * 9999999) | replace('a', 'b' * 9999999) }}"),
                     "grows beyond 64 MiB");
  expect_error_holds(error_of("{% set x = 'a' * 9999999 %}{% for i in range(99) %}{{ x | upper | "
                              "length }}{% endfor %}"),
                     "more than 256 MiB of strings");
  expect_error_holds(error_of("{% for i in range(99) %}{{ 'a' * 999999 }}{% endfor %}"),
                     "grows beyond 64 MiB");
}

TEST(ChatTemplateLimits, OfTextThatIsReadOrCopiedAndNotKept) {
  for (const char* wasteful :
       {"'x' | indent(50000000)", "'x' | indent(s)", "1 | tojson(indent=50000000)", "s | int",
        "s | float", "s is lower", "'x'.strip(s)", "'x' | trim(s)", "'x'.rfind(s)", "'x'.rsplit(s)",
        "'x'.rpartition(s)", "{}[s] is defined"}) {
    const std::string error = error_of("{% set s = 'a' * 50000000 %}{% for i in range(99) %}{{ " +
                                       std::string(wasteful) + " }}{% endfor %}");
    EXPECT_NE(error.find("more than 256 MiB of strings"), std::string::npos)
        << wasteful << ": " << error;
  }
}

TEST(ChatTemplateLimits, OfRecursion) {
  expect_error_holds(error_of("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
                     "nested deeper than 1000 levels");
  expect_error_holds(error_of("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"),
                     "nested deeper than 1000 levels");
  expect_error_holds(error_of("{% set l = [] %}{{ l.append(l) }}{{ l }}"),
                     "nested deeper than 1000 levels");
  expect_error_holds(error_of("{% set ns = namespace(l=[]) %}{% for i in range(5000) %}"
                              "{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l == ns.l | tojson }}"),
                     "nested deeper than 1000 levels");
}

TEST(ChatTemplateLimits, OfSharedValues) {
  // Thirty lines that would print a billion elements.
  expect_error_holds(error_of("{% set ns = namespace(l=[]) %}{% for i in range(40) %}"
                              "{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}"),
                     "more than 5000000 steps");
}

// --- the rest ---

TEST(ChatTemplate, AppendsToLists) {
  EXPECT_EQ(render("{% set l = [1] %}{% set _ = l.append(2) %}{{ l }}").text, "[1, 2]");
}

TEST(ChatTemplate, KeepsTheOrderOfKeysInTools) {
  RenderOptions options;
  options.tools = OrderedJson::parse(R"([{"type": "function", "name": "f", "a": 1}])");
  EXPECT_EQ(render("{{ tools[0] | tojson }}", OrderedJson::array(), options).text,
            R"({"type": "function", "name": "f", "a": 1})");
}

TEST(ChatTemplate, TellsTheGivenTime) {
  RenderOptions options{.now = std::tm{.tm_mday = 3, .tm_mon = 1, .tm_year = 99}};
  EXPECT_EQ(render("{{ strftime_now('%Y-%m-%d') }}", OrderedJson::array(), options).text,
            "1999-02-03");
  EXPECT_EQ(render("{{ strftime_now('%Y') | int > 2023 }}").text, "True");
}

TEST(ChatTemplate, RendersTwiceTheSame) {
  const ChatTemplate chat = ChatTemplate::parse(kChatMl, "chat.jinja");
  const OrderedJson messages = conversation("a", "b");
  EXPECT_EQ(chat.render(messages).text, chat.render(messages).text);
  EXPECT_EQ(chat.render(messages).spans, chat.render(messages).spans);
}

}  // namespace
}  // namespace inlay
