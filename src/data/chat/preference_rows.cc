#include "data/chat/preference_rows.h"

#include "base/error.h"
#include "data/chat/conversation_rows.h"
#include "data/chat/messages.h"
#include "data/encoding.h"

namespace inlay {
namespace {

// Reads the three values of one record.
class PreferenceReader {
 public:
  PreferenceReader(const ChatRecord& record, const ChatLayout& layout)
      : record_(record), layout_(layout), keys_(layout.keys) {}

  Preference read() const {
    if (layout_.format == ChatFormat::kAlpaca)
      return of_messages(prompt_of_alpaca(record_, layout_), TurnOrder::kAny);
    if (layout_.format == ChatFormat::kShareGpt)
      return of_messages(listed_messages(record_, layout_), TurnOrder::kAlternating);
    if (layout_.format == ChatFormat::kMessages)
      return of_messages(listed_messages(record_, layout_), TurnOrder::kAny);
    bool lists = is_list(keys_.chosen) || is_list(keys_.rejected) || is_list(keys_.prompt);
    return lists ? of_messages(given_prompt(), TurnOrder::kAny) : plain();
  }

 private:
  const OrderedJson& value(const std::string& key) const {
    const OrderedJson* found = record_.find(key);
    if (found == nullptr) record_.missing(key, "a text or a list of messages");
    return *found;
  }

  bool is_list(const std::string& key) const {
    const OrderedJson* found = record_.find(key);
    return found != nullptr && found->is_array();
  }

  std::string place(const std::string& key) const {
    return fmt::format("{}: {}", record_.where, excerpt(key));
  }

  void require_difference(bool differ) const {
    require(differ, ErrorKind::kInput,
            "{}: {} and {} are equal; expected different answers, or leave the record out",
            record_.where, excerpt(keys_.chosen), excerpt(keys_.rejected));
  }

  Preference plain() const {
    Preference result;
    result.prompt.prompt = record_.text(keys_.prompt);
    result.chosen.continuation = answer_text(keys_.chosen);
    result.rejected.continuation = answer_text(keys_.rejected);
    require_difference(result.chosen.continuation != result.rejected.continuation);
    return result;
  }

  std::string answer_text(const std::string& key) const {
    std::string text = record_.text(key);
    require(!trimmed(text).empty(), ErrorKind::kInput,
            "{}: {} is empty; expected an answer, or leave the record out", record_.where,
            excerpt(key));
    return text;
  }

  // The prompt's own messages; none where it is a text that the lists repeat.
  Messages given_prompt() const {
    Messages messages;
    const OrderedJson* prompt = record_.find(keys_.prompt);
    if (prompt == nullptr) return messages;
    if (prompt->is_array()) return read_messages(*prompt, layout_.message, place(keys_.prompt));
    std::string text = record_.text(keys_.prompt);
    Messages chosen = answer(keys_.chosen);
    if (!chosen.list.empty() && chosen.list[0]["role"] != "assistant") {
      require(has_turn(chosen.list, text), ErrorKind::kInput,
              "{}: no message of {} says what {} does; expected the same prompt", record_.where,
              excerpt(keys_.chosen), excerpt(keys_.prompt));
      return messages;
    }
    messages.add("user", std::move(text));
    return messages;
  }

  static bool has_turn(const OrderedJson& messages, const std::string& text) {
    for (const OrderedJson& message : messages) {
      if (message["role"] == "user" && message["content"] == text) return true;
    }
    return false;
  }

  // A text, a single message as dataset_info.json has it, or a list.
  Messages answer(const std::string& key) const {
    const OrderedJson& found = value(key);
    Messages messages;
    if (found.is_string()) {
      messages.add("assistant", found.get<std::string>());
      return messages;
    }
    const OrderedJson list = found.is_object() ? OrderedJson::array({found}) : found;
    return read_messages(list, layout_.message, place(key));
  }

  // The prompt and an answer; an answer may hold the prompt already.
  OrderedJson whole(const OrderedJson& prompt, const std::string& key, TurnOrder order) const {
    OrderedJson further = answer(key).list, all = prompt;
    bool repeats = further.size() > prompt.size();
    for (std::size_t i = 0; repeats && i < prompt.size(); ++i) repeats = further[i] == prompt[i];
    if (repeats) all = OrderedJson::array();
    for (OrderedJson& message : further) all.push_back(std::move(message));
    check_turns(all, order, place(key));
    return all;
  }

  Conversation rest_of(const OrderedJson& all, std::size_t common, const std::string& key) const {
    require(common < all.size() && all[common]["role"] == "assistant", ErrorKind::kInput,
            "{}: behind what both answers have in common there is no turn of the assistant; "
            "expected answers to the same prompt",
            place(key));
    Conversation rest{.messages = OrderedJson::array()};
    for (std::size_t i = common; i < all.size(); ++i) rest.messages.push_back(all[i]);
    return rest;
  }

  Preference of_messages(Messages prompt, TurnOrder order) const {
    OrderedJson chosen = whole(prompt.list, keys_.chosen, order);
    OrderedJson rejected = whole(prompt.list, keys_.rejected, order);
    require_difference(chosen != rejected);
    std::size_t common = 0;
    while (common < chosen.size() && common < rejected.size() && chosen[common] == rejected[common])
      ++common;
    Messages shared;
    for (std::size_t i = 0; i < common; ++i) shared.add(chosen[i], std::nullopt);
    require(common > 0, ErrorKind::kInput,
            "{}: the answers have no prompt; expected one in {} or at the beginning of both",
            record_.where, excerpt(keys_.prompt));
    return {.prompt = conversation_of(std::move(shared), record_, layout_),
            .chosen = rest_of(chosen, common, keys_.chosen),
            .rejected = rest_of(rejected, common, keys_.rejected)};
  }

  const ChatRecord& record_;
  const ChatLayout& layout_;
  const ChatKeys& keys_;
};

}  // namespace

Preference read_preference(const ChatRecord& record, const ChatLayout& layout) {
  require(layout.holds_preferences(), ErrorKind::kInput,
          "{}: the records are no preferences ({}); expected \"chosen\" and \"rejected\"",
          record.where, layout.describe());
  Preference preference = PreferenceReader(record, layout).read();
  preference.origin = {.line = record.line, .row = record.row};
  return preference;
}

}  // namespace inlay
