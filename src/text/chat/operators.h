// Python's arithmetic on values: integers of 64 bits, whose overflow is an Error, and floats.
#pragma once

#include "text/chat/syntax.h"
#include "text/chat/value.h"

namespace inlay::chat {

Value apply(Heap& heap, BinaryOperator op, Value left, Value right);
Value negated(Value operand);
bool compare(Heap& heap, Comparison op, Value left, Value right);

}  // namespace inlay::chat
