// The filters of templates, {{ value | name(arguments) }}, as one visible table.
#pragma once

#include <span>
#include <string_view>

#include "text/chat/value.h"

namespace inlay::chat {

struct Filter {
  std::string_view name;
  Value (*apply)(Heap& heap, Value subject, const Arguments& arguments);
};

std::span<const Filter> filters();
const Filter* find_filter(std::string_view name);  // null when there is none

}  // namespace inlay::chat
