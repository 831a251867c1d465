// The escapes of a string literal, as Python reads them: \n, \x41, \u00e9, \101; a backslash before
// any other character stays.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace inlay::chat {

// Nothing when an escape is cut short or is no character.
std::optional<std::string> resolve_escapes(std::string_view literal);

}  // namespace inlay::chat
