// Values as text, as Python's str(), repr() and Jinja's printing write them.
#pragma once

#include "text/chat/value.h"

namespace inlay::chat {

// str(): undefined gives nothing, a string itself. The budget counts it.
MarkedText to_text(Heap& heap, Value value);

// 1.0, 1e-05, inf: the shortest digits that read back as the same number.
std::string float_text(double value);

}  // namespace inlay::chat
