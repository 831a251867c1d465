#include "data/chat/messages.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "base/nearest.h"
#include "data/chat/tool_calls.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::string_view kCall = "function_call";
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kRoles = {{
    {"system", "system"},
    {"developer", "system"},
    {"user", "user"},
    {"human", "user"},
    {"assistant", "assistant"},
    {"gpt", "assistant"},
    {"chatgpt", "assistant"},
    {"bing", "assistant"},
    {"bard", "assistant"},
    {"model", "assistant"},
    {"tool", "tool"},
    {"observation", "tool"},
    {"function", "tool"},
    {"function_response", "tool"},
    {"function_call", kCall},
}};
constexpr std::array<const char*, 4> kFurtherTexts = {"name", "tool_call_id", "reasoning_content",
                                                      "thinking"};

std::string role_of(const std::string& written, const MessageKeys& keys, const std::string& where) {
  std::vector<std::string> known;
  for (const auto& [name, role] : keys.roles) {
    if (name == written) return role;
    known.push_back(name);
  }
  for (const auto& [name, role] : kRoles) {
    if (!keys.roles.empty()) break;
    if (name == written) return std::string(role);
    known.emplace_back(name);
  }
  fail(ErrorKind::kInput, "{}: unknown role {}; expected one of {}; did you mean {}?", where,
       excerpt(written), listed(known), excerpt(nearest_name(written, known)));
}

const OrderedJson* member(const OrderedJson& object, const std::string& key) {
  auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const std::string& text_member(const OrderedJson& object, const std::string& key,
                               const std::string& where) {
  const OrderedJson* found = member(object, key);
  require(found != nullptr, ErrorKind::kInput, "{}: key {} is missing; expected a string", where,
          excerpt(key));
  require(found->is_string(), ErrorKind::kInput, "{}: {} is {}; expected a string", where,
          excerpt(key), found->type_name());
  return found->get_ref<const std::string&>();
}

std::string joined_parts(const OrderedJson& parts, const std::string& where) {
  std::string text;
  for (const OrderedJson& part : parts) {
    const OrderedJson* type = part.is_object() ? member(part, "type") : nullptr;
    require(type != nullptr && *type == "text", ErrorKind::kInput,
            "{}: a part of the content is not of type \"text\"; only text can be trained on",
            where);
    if (&part != &parts.front()) text += '\n';
    text += text_member(part, "text", where);
  }
  return text;
}

// Messages that are a call alone may come without a content.
std::string content_of(const OrderedJson& item, const std::string& key, const std::string& where) {
  const OrderedJson* content = member(item, key);
  if (content == nullptr && member(item, "tool_calls") != nullptr) return "";
  if (content != nullptr && content->is_array()) return joined_parts(*content, where);
  return text_member(item, key, where);
}

std::optional<bool> in_loss(const OrderedJson& item, const std::string& where) {
  if (const OrderedJson* train = member(item, "train")) {
    require(train->is_boolean(), ErrorKind::kInput, "{}: \"train\" is {}; expected true or false",
            where, train->type_name());
    return train->get<bool>();
  }
  const OrderedJson* weight = member(item, "weight");
  if (weight == nullptr) return std::nullopt;
  require(*weight == 0 || *weight == 1, ErrorKind::kInput, "{}: \"weight\" is {}; expected 0 or 1",
          where, excerpt(weight->dump(), 20));
  return *weight == 1;
}

OrderedJson read_message(const OrderedJson& item, const MessageKeys& keys,
                         const std::string& where) {
  std::string role = role_of(text_member(item, keys.role, where), keys, where);
  std::string content = content_of(item, keys.content, where);
  if (role == kCall)
    return {
        {"role", "assistant"}, {"content", ""}, {"tool_calls", tool_calls_of_text(content, where)}};
  OrderedJson message = {{"role", role}, {"content", std::move(content)}};
  for (const char* key : kFurtherTexts) {
    if (member(item, key) != nullptr) message[key] = text_member(item, key, where);
  }
  const OrderedJson* calls = member(item, "tool_calls");
  if (calls != nullptr && !calls->empty())
    message["tool_calls"] = tool_calls_of(*calls, where + ": tool_calls");
  return message;
}

std::string place(const std::string& where, std::size_t index) {
  return fmt::format("{}: message {}", where, index + 1);
}

void check_message(const OrderedJson& messages, std::size_t i, const std::string& where) {
  const OrderedJson& message = messages[i];
  const OrderedJson& role = message["role"];
  require(role != "system" || i == 0, ErrorKind::kInput,
          "{}: a system message; expected it at the beginning only", place(where, i));
  bool answers =
      i > 0 && (messages[i - 1]["role"] == "assistant" || messages[i - 1]["role"] == "tool");
  require(role != "tool" || answers, ErrorKind::kInput,
          "{}: a tool answers, but no assistant's turn is before it; expected the call",
          place(where, i));
  bool blank = trimmed(message["content"].get_ref<const std::string&>()).empty();
  require(role != "assistant" || !blank || message.contains("tool_calls"), ErrorKind::kInput,
          "{}: the assistant's turn is empty; expected a text, or leave the conversation out",
          place(where, i));
}

void check_alternation(const OrderedJson& messages, const std::string& where) {
  bool assistant_next = false;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto& role = messages[i]["role"].get_ref<const std::string&>();
    if (role == "system") continue;
    require((role == "assistant") == assistant_next, ErrorKind::kInput,
            "{}: found a turn of the {}; expected one of the {}, as turns alternate in this format",
            place(where, i), role, assistant_next ? "assistant" : "user");
    assistant_next = !assistant_next;
  }
}

}  // namespace

void Messages::add(std::string_view role, std::string content) {
  add({{"role", role}, {"content", std::move(content)}}, std::nullopt);
}

void Messages::add(OrderedJson message, std::optional<bool> in_loss) {
  list.push_back(std::move(message));
  trained.push_back(in_loss);
}

void Messages::append(const Messages& further) {
  for (std::size_t i = 0; i < further.list.size(); ++i) add(further.list[i], further.trained[i]);
}

Messages read_messages(const OrderedJson& list, const MessageKeys& keys, const std::string& where) {
  require(list.is_array(), ErrorKind::kInput, "{}: found {}; expected a list of messages", where,
          list.type_name());
  Messages messages;
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string here = place(where, i);
    require(list[i].is_object(), ErrorKind::kInput, "{}: found {}; expected {{{}: …, {}: …}}", here,
            list[i].type_name(), excerpt(keys.role), excerpt(keys.content));
    messages.add(read_message(list[i], keys, here), in_loss(list[i], here));
  }
  return messages;
}

void check_turns(const OrderedJson& messages, TurnOrder order, const std::string& where) {
  require(!messages.empty(), ErrorKind::kInput, "{}: no messages; expected at least one", where);
  bool answered = false;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    check_message(messages, i, where);
    answered = answered || messages[i]["role"] == "assistant";
  }
  require(answered, ErrorKind::kInput,
          "{}: no turn of the assistant; expected one, as there is nothing else to learn", where);
  if (order == TurnOrder::kAlternating) check_alternation(messages, where);
  const auto& last = messages.back()["role"].get_ref<const std::string&>();
  require(last == "assistant", ErrorKind::kInput,
          "{}: the conversation ends with a turn of the {}, from which nothing can be learned; "
          "expected the assistant's answer, or leave the turn out",
          where, last);
}

}  // namespace inlay
