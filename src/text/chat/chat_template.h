// A chat template as Hugging Face's models carry it: Jinja that turns a conversation into the text
// that the model was trained on. The text comes with spans that say which characters the
// conversation brought, which the template, and which the assistant is to generate.
//
//   auto chat = ChatTemplate::parse(source, "chat_template.jinja");
//   Rendered r = chat.render(messages, {.add_generation_prompt = true, .eos_token = "</s>"});
//   for (const Span& span : r.spans) ...   // special tokens are read only where !span.is_input()
//
// Templates run with the settings and in the sandbox of Hugging Face's library; a template can
// neither read files nor run without end (budget.h lists the limits).
#pragma once

#include <cstddef>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

// JSON that keeps the order of keys: `tojson` shows it, and models were trained with the order in
// which tools are written. A Json converts, with its keys sorted.
using OrderedJson = nlohmann::ordered_json;

// Bytes [begin, end) of a rendered text, all of one origin.
struct Span {
  static constexpr int kTemplate = -1;  // the template and its special tokens
  static constexpr int kVariable = -2;  // tools and further variables

  std::size_t begin = 0;
  std::size_t end = 0;
  int message = kTemplate;  // index of the message that brought the characters, or one of the above
  bool role = false;        // from the message's "role", a word that nobody spoke
  bool generation = false;  // inside {% generation %}

  // Characters from outside of the model's folder, in which special tokens must stay plain text.
  bool is_input() const { return message != kTemplate; }
  bool operator==(const Span&) const = default;
};

struct Rendered {
  std::string text;
  std::vector<Span> spans;      // cover the text without gaps
  bool has_generation = false;  // the template marks with {% generation %} what the assistant says
};

struct RenderOptions {
  bool add_generation_prompt = false;
  std::optional<std::string> bos_token = {};
  std::optional<std::string> eos_token = {};
  std::optional<std::string> pad_token = {};
  std::optional<std::string> unk_token = {};
  OrderedJson tools = nullptr;                  // a list, or null
  OrderedJson further = OrderedJson::object();  // more variables by name
  std::optional<std::tm> now = {};              // for strftime_now; without it, local time
};

class ChatTemplate {
 public:
  // `where` names the source in messages. What is wrong or not supported is an Error of kind kInput
  // with line and column.
  static ChatTemplate parse(std::string_view source, std::string_view where);

  // `messages` is a list of objects with "role" and "content". An exception that the template
  // raises, and a limit that it passes, is an Error of kind kInput with its place.
  Rendered render(const OrderedJson& messages, const RenderOptions& options = {}) const;

 private:
  struct Parsed;
  explicit ChatTemplate(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}

  std::shared_ptr<const Parsed> parsed_;
};

// The parts of a rendered conversation that the assistant says: what {% generation %} encloses, or
// for templates without it the characters that came from messages with the role "assistant".
// REQUIRES: `messages` are those that were rendered.
std::vector<Span> assistant_spans(const Rendered& rendered, const OrderedJson& messages);

}  // namespace inlay
