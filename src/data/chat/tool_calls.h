// The tools of a conversation and the calls of them, as the many forms in which data holds them,
// brought to the one that chat templates read.
#pragma once

#include <string>

#include "text/chat/chat_template.h"

namespace inlay {

// A list of tools: itself, or JSON text that holds it. A bare {"name": …} becomes
// {"type": "function", "function": {"name": …}}. `where` names the value in messages.
OrderedJson tools_of(const OrderedJson& value, const std::string& where);

// The "tool_calls" of a message: objects with "function": {"name", "arguments"}. Arguments that are
// JSON text become the object that it holds, as templates expect.
OrderedJson tool_calls_of(const OrderedJson& value, const std::string& where);

// What ShareGPT says in a turn "function_call": JSON text with {"name", "arguments"}, or a list of
// them, as "tool_calls".
OrderedJson tool_calls_of_text(const std::string& text, const std::string& where);

}  // namespace inlay
