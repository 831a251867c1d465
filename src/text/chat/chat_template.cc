#include "text/chat/chat_template.h"

#include "text/chat/functions.h"
#include "text/chat/interpreter.h"
#include "text/chat/statement_parser.h"
#include "text/chat/value_json.h"
#include "text/utf8.h"

namespace inlay {

using chat::Heap;
using chat::Mark;
using chat::Scope;
using chat::Value;

static_assert(Span::kTemplate == chat::kFromTemplate && Span::kVariable == chat::kFromVariable);

struct ChatTemplate::Parsed {
  std::string where;
  Heap literals;
  chat::Block block;
  bool has_generation = false;
};

namespace {

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm result{};
  localtime_r(&now, &result);
  return result;
}

// Special tokens are the template's own words, so they carry its mark.
void define_token(Heap& heap, Scope& scope, std::string_view name,
                  const std::optional<std::string>& token) {
  if (!token) return;
  require(!text::first_invalid_utf8(*token), ErrorKind::kInput, "the {} is not UTF-8", name);
  scope.set(heap, name, heap.text(*token));
}

void define_variables(Heap& heap, Scope& scope, const OrderedJson& messages,
                      const RenderOptions& options) {
  scope.set(heap, "messages", chat::messages_from_json(heap, messages));
  scope.set(heap, "add_generation_prompt", Value(options.add_generation_prompt));
  scope.set(heap, "documents", Value::none());
  define_token(heap, scope, "bos_token", options.bos_token);
  define_token(heap, scope, "eos_token", options.eos_token);
  define_token(heap, scope, "pad_token", options.pad_token);
  define_token(heap, scope, "unk_token", options.unk_token);
  const Mark mark{.message = chat::kFromVariable};
  scope.set(heap, "tools", chat::value_from_json(heap, options.tools, mark, "tools"));
  require(options.further.is_object(), ErrorKind::kUsage,
          "further variables of a chat template are a JSON object, found {}",
          options.further.type_name());
  for (const auto& [name, value] : options.further.items()) {
    require(name != "messages" && name != "tools", ErrorKind::kUsage,
            "\"{}\" is no further variable of a chat template; pass it by itself", name);
    scope.set(heap, heap.text(name).bytes(), chat::value_from_json(heap, value, mark, name));
  }
}

std::vector<Span> spans_of(const chat::MarkedText& text) {
  std::vector<Span> spans;
  spans.reserve(text.runs().size());
  std::size_t begin = 0;
  for (const auto& [end, mark] : text.runs()) {
    spans.push_back({begin, end, mark.message, mark.role, mark.generation});
    begin = end;
  }
  return spans;
}

bool has_generation(const chat::Block& block);

bool in_body(const std::shared_ptr<const chat::Block>& body) {
  return body && has_generation(*body);
}

struct GenerationFinder {
  bool operator()(const chat::Generation& /*node*/) const { return true; }
  bool operator()(const chat::If& node) const {
    for (const chat::Branch& branch : node.branches) {
      if (in_body(branch.body)) return true;
    }
    return false;
  }
  bool operator()(const chat::For& node) const {
    return in_body(node.body) || in_body(node.otherwise);
  }
  bool operator()(const chat::Macro& node) const { return in_body(node.definition->body); }
  bool operator()(const chat::CallBlock& node) const { return in_body(node.caller->body); }
  template <class Node>
  bool operator()(const Node& node) const {
    if constexpr (requires { node.body; }) return in_body(node.body);
    return false;
  }
};

bool has_generation(const chat::Block& block) {
  for (const chat::Statement& statement : block) {
    if (std::visit(GenerationFinder{}, statement.node)) return true;
  }
  return false;
}

}  // namespace

ChatTemplate ChatTemplate::parse(std::string_view source, std::string_view where) {
  require(source.size() <= chat::kMaxSourceBytes, ErrorKind::kInput,
          "{}: the chat template has {} bytes; at most {} are allowed", where, source.size(),
          chat::kMaxSourceBytes);
  const std::optional<std::size_t> bad = text::first_invalid_utf8(source);
  require(!bad, ErrorKind::kInput, "{}: the chat template is not UTF-8: its byte {} is invalid",
          where, bad.value_or(0));
  auto parsed = std::make_shared<Parsed>();
  parsed->where = where;
  parsed->block = chat::parse_template(source, where, parsed->literals);
  parsed->has_generation = has_generation(parsed->block);
  return ChatTemplate(std::move(parsed));
}

Rendered ChatTemplate::render(const OrderedJson& messages, const RenderOptions& options) const {
  Heap heap;
  Scope functions(nullptr);
  chat::define_functions(heap, functions, options.now ? *options.now : local_time());
  Scope variables(&functions);
  define_variables(heap, variables, messages, options);
  chat::Interpreter interpreter(heap, variables);
  try {
    const chat::MarkedText text = interpreter.render(parsed_->block);
    return {text.bytes(), spans_of(text), parsed_->has_generation};
  } catch (const Error& error) {
    const chat::Place place = interpreter.place();
    fail(error.kind(), "{}:{}:{}: {}", parsed_->where, place.line, place.column, error.what());
  }
}

std::vector<Span> assistant_spans(const Rendered& rendered, const OrderedJson& messages) {
  auto from_assistant = [&](const Span& span) {
    if (span.message < 0 || span.role) return false;
    const OrderedJson& message = messages.at(static_cast<std::size_t>(span.message));
    return message.is_object() && message.contains("role") && message["role"] == "assistant";
  };
  std::vector<Span> result;
  for (const Span& span : rendered.spans) {
    if (rendered.has_generation ? span.generation : from_assistant(span)) result.push_back(span);
  }
  return result;
}

}  // namespace inlay
