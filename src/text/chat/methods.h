// The methods of strings, lists and dictionaries that templates call, as visible tables.
#pragma once

#include <span>
#include <string_view>

#include "text/chat/value.h"

namespace inlay::chat {

struct Method {
  std::string_view name;
  Value (*call)(Heap& heap, Value self, const Arguments& arguments);
};

std::span<const Method> string_methods();
std::span<const Method> list_methods();
std::span<const Method> dict_methods();

// The method bound to its value; nothing when values of this kind have none of the name.
std::optional<Value> bound_method(Heap& heap, Value self, std::string_view name);

}  // namespace inlay::chat
