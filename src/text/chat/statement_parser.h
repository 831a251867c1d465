// Parses a template into statements.
//
//   Heap literals;
//   Block block = parse_template("Hi {{ name }}!", "chat.jinja", literals);
#pragma once

#include <string_view>

#include "text/chat/syntax.h"

namespace inlay::chat {

// `literals` keeps the texts of the source; it must outlive the result. What is not supported, or
// wrong, is an Error with line and column.
Block parse_template(std::string_view source, std::string_view where, Heap& literals);

}  // namespace inlay::chat
