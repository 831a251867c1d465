// In which of the usual ways a file holds conversations, and under which keys: named by the caller,
// by dataset_info.json, or recognised from the keys of its first record.
//
//   ChatLayout layout = recognised_layout(record);
//   layout.describe();   // format alpaca (recognised by "instruction", "output")
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/chat/chat_record.h"

namespace inlay {

enum class ChatFormat {
  kText,        // text
  kCompletion,  // prompt, completion: plain text, or lists of messages
  kAlpaca,      // instruction, input, output; system and history where there are any
  kShareGpt,    // conversations of {from, value}
  kMessages,    // messages of {role, content}
  kPreference,  // prompt, chosen, rejected: plain text, or lists of messages
};

// "text", "completion", "alpaca", "sharegpt", "messages", "preference"
std::string_view name_of(ChatFormat format);
// The names of all, in the order of the enumerators.
std::span<const std::string_view> chat_format_names();
// kUsage with the nearest name where there is none of this name.
ChatFormat chat_format_named(std::string_view name);

// The keys of a record; an empty one is not read.
struct ChatKeys {
  std::string text = {};      // plain text
  std::string prompt = {};    // the prompt; Alpaca's instruction
  std::string query = {};     // Alpaca's input: comes behind the instruction, on a line of its own
  std::string response = {};  // the completion; Alpaca's output
  std::string history = {};   // Alpaca: earlier pairs of what the user and the assistant said
  std::string system = {};
  std::string tools = {};
  std::string messages = {};
  std::string chosen = {};
  std::string rejected = {};
};

// The keys of a message, and who speaks.
struct MessageKeys {
  std::string role = "role";
  std::string content = "content";
  // From what the data calls a role to system, user, assistant, tool or function_call; empty: the
  // usual names (messages.h).
  std::map<std::string, std::string> roles = {};
};

struct ChatLayout {
  ChatFormat format = ChatFormat::kText;
  bool ranking = false;  // preferences in the keys of Alpaca or ShareGPT, as dataset_info.json has
  ChatKeys keys = {};
  MessageKeys message = {};
  std::string origin = {};  // why this one: `named`, `recognised by "text"`, …

  bool holds_preferences() const { return ranking || format == ChatFormat::kPreference; }
  std::string describe() const;
};

// The layout whose keys the record has, or kInput with what would be recognised.
ChatLayout recognised_layout(const ChatRecord& record);
// The same among the layouts of this format; kInput where the record has the keys of none.
ChatLayout named_layout(ChatFormat format, const ChatRecord& record);

}  // namespace inlay
