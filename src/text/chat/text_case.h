// Upper and lower case of marked text, by Unicode's full mappings as Python has them.
#pragma once

#include "text/chat/marked_text.h"

namespace inlay::chat {

MarkedText to_lower(const MarkedText& text);
MarkedText to_upper(const MarkedText& text);
MarkedText capitalized(const MarkedText& text);  // str.capitalize
MarkedText titled(const MarkedText& text);       // str.title: a word begins after what has no case
// The filter `title`: a word begins after whitespace, '-' and opening brackets.
MarkedText titled_by_filter(const MarkedText& text);

}  // namespace inlay::chat
