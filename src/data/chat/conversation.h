// What a decoder language model is trained on: a conversation of messages, or plain text with or
// without a prompt. And two answers to one prompt, of which people preferred the first.
//
//   Conversation c{.messages = {{{"role", "user"}, {"content", "Hi"}},
//                               {{"role", "assistant"}, {"content", "Hello."}}}};
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "text/chat/chat_template.h"

namespace inlay {

// Where a record stands.
struct RecordOrigin {
  std::size_t file = 0;  // index into the files that were read
  std::size_t line = 0;  // where the record begins, from 1
  std::size_t row = 0;   // which record of the file, from 1, a header not counted
};

struct Conversation {
  // As chat templates take them: objects with "role" (system, user, assistant or tool, never
  // another word from outside: templates make special tokens of it), "content" (a string) and,
  // where the data has them, "name", "tool_calls", "tool_call_id", "reasoning_content" and
  // "thinking". Null: plain text instead.
  OrderedJson messages = nullptr;
  OrderedJson tools = nullptr;  // a list of {"type": "function", "function": {…}}, or null
  // What the data says about each message being in the loss; empty where it says nothing of any.
  std::vector<std::optional<bool>> trained = {};
  // Plain text: what is given (may be empty), and what is to be learned.
  std::string prompt = {};
  std::string continuation = {};
  RecordOrigin origin = {};

  bool is_plain() const { return messages.is_null(); }
};

struct Preference {
  Conversation prompt;    // the messages that both share, or the plain prompt
  Conversation chosen;    // the further messages alone, or the plain continuation
  Conversation rejected;  // as chosen
  RecordOrigin origin = {};
};

// The prompt with one of its answers. Of the messages only the answer's are in the loss.
// REQUIRES: both are plain, or neither is.
Conversation answered(const Conversation& prompt, const Conversation& answer);

}  // namespace inlay
