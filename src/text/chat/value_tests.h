// The tests of templates, {{ value is name(arguments) }}, as one visible table.
#pragma once

#include <span>
#include <string_view>

#include "text/chat/value.h"

namespace inlay::chat {

struct Test {
  std::string_view name;
  bool (*holds)(Heap& heap, Value subject, const Arguments& arguments);
};

std::span<const Test> value_tests();
const Test* find_value_test(std::string_view name);  // null when there is none

}  // namespace inlay::chat
