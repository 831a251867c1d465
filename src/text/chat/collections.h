// Access to parts of values, as Jinja's dots and brackets do it.
#pragma once

#include "text/chat/value.h"

namespace inlay::chat {

// object.name: a method first, then a key; undefined when there is neither. On undefined an Error.
Value attribute_of(Heap& heap, Value object, std::string_view name);

// object[index]: a key or position first, then a method.
Value item_of(Heap& heap, Value object, Value index);

// object[start:stop:step]; bounds are none or integers.
Value slice_of(Heap& heap, Value object, Value start, Value stop, Value step);

// A value by a path such as "function.name" or 0, as the filters' `attribute` has it. What is
// undefined on the way is `otherwise`, if that is defined.
Value item_by_path(Heap& heap, Value object, Value path, Value otherwise = {});

// (key, value) tuples in order.
std::vector<Value> pairs(Heap& heap, Dict& dict);

int64_t length_of(Heap& heap, Value value);  // an Error for what has no length

}  // namespace inlay::chat
