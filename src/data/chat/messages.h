// Messages of a data set as chat templates take them, and whether their order can be learned from.
// Roles go by these names: system, developer; user, human; assistant, gpt, chatgpt, bing, bard,
// model; tool, observation, function, function_response; and function_call, an assistant's turn
// that is a call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/chat/chat_layout.h"

namespace inlay {

struct Messages {
  OrderedJson list = OrderedJson::array();
  std::vector<std::optional<bool>> trained = {};  // one per message

  void add(std::string_view role, std::string content);
  void add(OrderedJson message, std::optional<bool> in_loss);
  void append(const Messages& further);
};

// A list of messages, each an object with the keys that `keys` names. Of OpenAI's further keys
// "weight": 0 or 1 and "train": true or false say whether a message is in the loss. A content in
// parts of {"type": "text"} is joined with line ends. kInput, `where` first: no list, an unknown
// role, a content that is no text.
Messages read_messages(const OrderedJson& list, const MessageKeys& keys, const std::string& where);

enum class TurnOrder {
  kAny,          // what the chat template makes of it
  kAlternating,  // user or tool, then assistant, and so on: ShareGPT
};

// kInput where there is nothing to learn or the order is impossible: no message; a system message
// that is not the first; a tool's answer that follows neither a call nor another answer; an
// assistant's turn without content and calls; no assistant's turn; another turn than the
// assistant's at the end; and turns that do not alternate where they must.
void check_turns(const OrderedJson& messages, TurnOrder order, const std::string& where);

}  // namespace inlay
