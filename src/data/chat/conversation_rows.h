// A record of a file as the conversation that it holds.
#pragma once

#include <string>

#include "data/chat/chat_layout.h"
#include "data/chat/conversation.h"
#include "data/chat/messages.h"

namespace inlay {

// Of Alpaca the instruction and, on a line of its own, the input are what the user says; the chat
// template frames them as it does any turn. kInput with file and line: what check_turns() refuses,
// missing keys, an empty text, and a record of preferences.
Conversation read_conversation(const ChatRecord& record, const ChatLayout& layout);

// Steps of it that preferences share: the messages before the answer, from the keys of Alpaca; a
// list of messages with the system's before it, unless the list begins with one, which goes first
// as in LLaMA-Factory; and a conversation out of messages.
Messages prompt_of_alpaca(const ChatRecord& record, const ChatLayout& layout);
Messages listed_messages(const ChatRecord& record, const ChatLayout& layout);
Conversation conversation_of(Messages messages, const ChatRecord& record, const ChatLayout& layout);

}  // namespace inlay
