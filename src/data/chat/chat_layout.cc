#include "data/chat/chat_layout.h"

#include <array>

#include "base/error.h"
#include "base/nearest.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"text",     "completion", "alpaca",
                                                    "sharegpt", "messages",   "preference"};

// What is recognised, the more particular first. `required` tells it from the others.
struct Known {
  ChatFormat format;
  std::vector<std::string> required;
  ChatKeys keys;
};

const std::vector<Known>& known_layouts() {
  static const std::vector<Known> layouts = {
      {ChatFormat::kPreference,
       {"chosen", "rejected"},
       {.prompt = "prompt",
        .system = "system",
        .tools = "tools",
        .chosen = "chosen",
        .rejected = "rejected"}},
      {ChatFormat::kMessages,
       {"messages"},
       {.system = "system", .tools = "tools", .messages = "messages"}},
      {ChatFormat::kShareGpt,
       {"conversations"},
       {.system = "system", .tools = "tools", .messages = "conversations"}},
      {ChatFormat::kMessages,
       {"conversations"},
       {.system = "system", .tools = "tools", .messages = "conversations"}},
      {ChatFormat::kShareGpt,
       {"messages"},
       {.system = "system", .tools = "tools", .messages = "messages"}},
      {ChatFormat::kAlpaca,
       {"instruction", "output"},
       {.prompt = "instruction",
        .query = "input",
        .response = "output",
        .history = "history",
        .system = "system"}},
      {ChatFormat::kAlpaca,
       {"instruction", "response"},
       {.prompt = "instruction", .query = "context", .response = "response", .system = "system"}},
      {ChatFormat::kCompletion,
       {"prompt", "completion"},
       {.prompt = "prompt", .response = "completion", .tools = "tools"}},
      {ChatFormat::kCompletion,
       {"prompt", "response"},
       {.prompt = "prompt", .response = "response", .tools = "tools"}},
      {ChatFormat::kText, {"text"}, {.text = "text"}},
  };
  return layouts;
}

bool is_message_list(ChatFormat format) {
  return format == ChatFormat::kMessages || format == ChatFormat::kShareGpt;
}

MessageKeys message_keys(ChatFormat format) {
  if (format == ChatFormat::kShareGpt) return {.role = "from", .content = "value"};
  return {};
}

// Whether the first of the messages speaks of its role as the other of the two formats does.
bool is_of_other_format(const OrderedJson& messages, ChatFormat format) {
  if (!messages.is_array() || messages.empty() || !messages[0].is_object()) return false;
  ChatFormat other =
      format == ChatFormat::kMessages ? ChatFormat::kShareGpt : ChatFormat::kMessages;
  return !messages[0].contains(message_keys(format).role) &&
         messages[0].contains(message_keys(other).role);
}

bool fits(const Known& known, const ChatRecord& record) {
  for (const std::string& key : known.required) {
    if (!record.fields.contains(key)) return false;
  }
  return !is_message_list(known.format) ||
         !is_of_other_format(record.fields[known.keys.messages], known.format);
}

ChatLayout layout_of(const Known& known, std::string origin) {
  return {.format = known.format,
          .keys = known.keys,
          .message = message_keys(known.format),
          .origin = std::move(origin)};
}

// "text"; "prompt", "completion"; … of one format, or of all.
std::string expected_keys(const ChatFormat* format) {
  std::string text;
  for (const Known& known : known_layouts()) {
    if (format != nullptr && known.format != *format) continue;
    if (!text.empty()) text += "; or ";
    text += listed(known.required) + " (" + std::string(name_of(known.format)) + ")";
  }
  return text;
}

[[noreturn]] void fits_none(const ChatRecord& record, const ChatFormat* format) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : record.fields.items()) keys.push_back(key);
  fail(ErrorKind::kInput, "{}: the keys are {}; expected {}", record.where, listed(keys),
       expected_keys(format));
}

}  // namespace

std::string_view name_of(ChatFormat format) { return kNames[static_cast<std::size_t>(format)]; }

std::span<const std::string_view> chat_format_names() { return kNames; }

ChatFormat chat_format_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ChatFormat>(i);
  }
  std::vector<std::string> names(kNames.begin(), kNames.end());
  fail(ErrorKind::kUsage,
       "there is no format {} of conversations; expected one of {}; did you "
       "mean {}?",
       excerpt(name), listed(names), excerpt(nearest_name(name, names)));
}

std::string ChatLayout::describe() const {
  return fmt::format("format {}{} ({})", name_of(format), ranking ? " with ranking" : "", origin);
}

ChatLayout recognised_layout(const ChatRecord& record) {
  for (const Known& known : known_layouts()) {
    if (fits(known, record)) return layout_of(known, "recognised by " + listed(known.required));
  }
  fits_none(record, nullptr);
}

ChatLayout named_layout(ChatFormat format, const ChatRecord& record) {
  for (const Known& known : known_layouts()) {
    if (known.format == format && fits(known, record)) return layout_of(known, "named");
  }
  fits_none(record, &format);
}

}  // namespace inlay
