// The functions that templates find: range, namespace, dict, raise_exception, strftime_now.
#pragma once

#include <ctime>

#include "text/chat/scope.h"

namespace inlay::chat {

// `now` is what strftime_now tells.
void define_functions(Heap& heap, Scope& scope, const std::tm& now);

}  // namespace inlay::chat
