// Values from JSON, marked with where they came from, and values as JSON: the filter `tojson`.
#pragma once

#include <optional>
#include <string>

#include "text/chat/chat_template.h"
#include "text/chat/value.h"

namespace inlay::chat {

// `place` names the value in messages: "messages[2]".
Value value_from_json(Heap& heap, const OrderedJson& json, Mark mark, const std::string& place);

// The list of messages: everything in the i-th is marked with i, its "role" as role.
Value messages_from_json(Heap& heap, const OrderedJson& messages);

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent = {};  // of one level; without it all is on one line
  MarkedText item_separator = {};
  MarkedText key_separator = {};
};

// As Python's json.dumps writes it.
MarkedText json_text(Heap& heap, Value value, const JsonStyle& style);

}  // namespace inlay::chat
