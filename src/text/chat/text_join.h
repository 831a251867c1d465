// Strings put together from values.
#pragma once

#include <vector>

#include "text/chat/value.h"

namespace inlay::chat {

// Each part as str() writes it, with the separator between.
MarkedText joined(Heap& heap, const std::vector<Value>& parts, const MarkedText& separator);

// What `text` is `count` times; empty for counts below 1. The budget counts it before it is made.
MarkedText repeated(Heap& heap, const MarkedText& text, int64_t count);

}  // namespace inlay::chat
