// Python's truth, equality, order and membership.
#pragma once

#include "text/chat/value.h"

namespace inlay::chat {

bool truth(Value value);
bool equal(Heap& heap, Value a, Value b);
bool less(Heap& heap, Value a, Value b);  // an Error for values that have no order
bool contains(Heap& heap, Value container, Value item);

// The elements that a `for` would visit: of lists, the keys of dictionaries, the characters of
// strings, nothing of undefined. A generator is empty afterwards.
std::vector<Value> elements(Heap& heap, Value value);

// First position at or after `from`, in time linear in both; npos when there is none.
std::size_t find_bytes(std::string_view text, std::string_view wanted, std::size_t from);

}  // namespace inlay::chat
