#include "data/chat/conversation_rows.h"

#include <algorithm>

#include "base/error.h"
#include "data/chat/tool_calls.h"
#include "data/encoding.h"

namespace inlay {
namespace {

const OrderedJson& list_of(const ChatRecord& record, const std::string& key) {
  const OrderedJson* found = record.find(key);
  if (found == nullptr) record.missing(key, "a list of messages");
  return *found;
}

void add_history(Messages& messages, const ChatRecord& record, const std::string& key) {
  const OrderedJson* history = record.find(key);
  if (history == nullptr) return;
  require(history->is_array(), ErrorKind::kInput, "{}: {} is {}; expected a list of pairs",
          record.where, excerpt(key), history->type_name());
  for (const OrderedJson& pair : *history) {
    bool sound = pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string();
    require(sound, ErrorKind::kInput,
            "{}: {} holds {}; expected pairs of what the user and the assistant said", record.where,
            excerpt(key), excerpt(pair.dump(-1, ' ', false), 40));
    messages.add("user", pair[0].get<std::string>());
    messages.add("assistant", pair[1].get<std::string>());
  }
}

Conversation plain_text(const ChatRecord& record, std::string prompt, const std::string& key) {
  Conversation plain{.prompt = std::move(prompt), .continuation = record.text(key)};
  require(!trimmed(plain.continuation).empty(), ErrorKind::kInput,
          "{}: {} is empty; expected a text to learn, or leave the record out", record.where,
          excerpt(key));
  return plain;
}

// Messages of a prompt are given; those of its completion are learned.
Conversation completion(const ChatRecord& record, const ChatLayout& layout) {
  const ChatKeys& keys = layout.keys;
  const OrderedJson* prompt = record.find(keys.prompt);
  if (prompt == nullptr || !prompt->is_array())
    return plain_text(record, record.text(keys.prompt), keys.response);
  Messages messages = read_messages(*prompt, layout.message,
                                    fmt::format("{}: {}", record.where, excerpt(keys.prompt)));
  std::fill(messages.trained.begin(), messages.trained.end(), false);
  messages.append(read_messages(list_of(record, keys.response), layout.message,
                                fmt::format("{}: {}", record.where, excerpt(keys.response))));
  check_turns(messages.list, TurnOrder::kAny, record.where);
  return conversation_of(std::move(messages), record, layout);
}

Conversation alpaca(const ChatRecord& record, const ChatLayout& layout) {
  Messages messages = prompt_of_alpaca(record, layout);
  messages.add("assistant", record.text(layout.keys.response));
  check_turns(messages.list, TurnOrder::kAny, record.where);
  return conversation_of(std::move(messages), record, layout);
}

Conversation open_ai(const ChatRecord& record, const ChatLayout& layout) {
  Messages messages = listed_messages(record, layout);
  check_turns(messages.list, TurnOrder::kAny, record.where);
  return conversation_of(std::move(messages), record, layout);
}

Conversation share_gpt(const ChatRecord& record, const ChatLayout& layout) {
  Messages messages = listed_messages(record, layout);
  check_turns(messages.list, TurnOrder::kAlternating, record.where);
  return conversation_of(std::move(messages), record, layout);
}

Conversation read_format(const ChatRecord& record, const ChatLayout& layout) {
  switch (layout.format) {
    case ChatFormat::kText:
      return plain_text(record, "", layout.keys.text);
    case ChatFormat::kCompletion:
      return completion(record, layout);
    case ChatFormat::kAlpaca:
      return alpaca(record, layout);
    case ChatFormat::kShareGpt:
      return share_gpt(record, layout);
    case ChatFormat::kMessages:
      return open_ai(record, layout);
    case ChatFormat::kPreference:
      break;
  }
  fail(ErrorKind::kInternal, "{}: a format without a reader", record.where);
}

}  // namespace

Messages prompt_of_alpaca(const ChatRecord& record, const ChatLayout& layout) {
  const ChatKeys& keys = layout.keys;
  Messages messages;
  std::string system = record.text_or_empty(keys.system);
  if (!system.empty()) messages.add("system", std::move(system));
  add_history(messages, record, keys.history);
  std::string said = record.text(keys.prompt), query = record.text_or_empty(keys.query);
  if (!said.empty() && !query.empty()) said += '\n';
  messages.add("user", said + query);
  return messages;
}

Messages listed_messages(const ChatRecord& record, const ChatLayout& layout) {
  const ChatKeys& keys = layout.keys;
  Messages said = read_messages(list_of(record, keys.messages), layout.message, record.where);
  bool has_system = !said.list.empty() && said.list[0]["role"] == "system";
  std::string system = has_system ? std::string() : record.text_or_empty(keys.system);
  if (system.empty()) return said;
  Messages messages;
  messages.add("system", std::move(system));
  messages.append(said);
  return messages;
}

Conversation conversation_of(Messages messages, const ChatRecord& record,
                             const ChatLayout& layout) {
  Conversation conversation{.messages = std::move(messages.list)};
  bool said = std::any_of(messages.trained.begin(), messages.trained.end(),
                          [](const std::optional<bool>& one) { return one.has_value(); });
  if (said) conversation.trained = std::move(messages.trained);
  if (const OrderedJson* tools = record.find(layout.keys.tools))
    conversation.tools =
        tools_of(*tools, fmt::format("{}: {}", record.where, excerpt(layout.keys.tools)));
  return conversation;
}

Conversation read_conversation(const ChatRecord& record, const ChatLayout& layout) {
  require(!layout.holds_preferences(), ErrorKind::kInput,
          "{}: the records are preferences ({}, {}); expected conversations: train by preferences, "
          "or name another format",
          record.where, excerpt(layout.keys.chosen), excerpt(layout.keys.rejected));
  Conversation conversation = read_format(record, layout);
  conversation.origin = {.line = record.line, .row = record.row};
  return conversation;
}

}  // namespace inlay
