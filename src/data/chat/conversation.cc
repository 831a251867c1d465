#include "data/chat/conversation.h"

#include "base/error.h"

namespace inlay {

Conversation answered(const Conversation& prompt, const Conversation& answer) {
  ensure(prompt.is_plain() == answer.is_plain(), "a plain answer to a conversation");
  Conversation whole = prompt;
  if (prompt.is_plain()) {
    whole.continuation = answer.continuation;
    return whole;
  }
  whole.trained.assign(prompt.messages.size(), false);
  whole.trained.resize(prompt.messages.size() + answer.messages.size());
  for (const OrderedJson& message : answer.messages) whole.messages.push_back(message);
  return whole;
}

}  // namespace inlay
