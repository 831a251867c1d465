// A record of a file as the preference that it holds.
#pragma once

#include "data/chat/chat_layout.h"
#include "data/chat/conversation.h"

namespace inlay {

// The prompt and the two answers may each be a text or a list of messages. Texts alone are plain
// text without a template; with any list among them, texts are turns of the user and of the
// assistant. Lists may repeat the prompt: what both have in common is the prompt. A prompt that is
// a text beside lists that hold their own prompt must be one of its turns. By dataset_info.json
// answers to the prompt of Alpaca or ShareGPT are turns of the assistant.
// kInput with file and line: equal answers, an empty one, one that begins with another turn than
// the assistant's, what check_turns() refuses, missing keys, a record without preferences.
Preference read_preference(const ChatRecord& record, const ChatLayout& layout);

}  // namespace inlay
