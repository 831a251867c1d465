// The variables of a block; what it does not hold is looked up in the scope around it.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "text/chat/value.h"

namespace inlay::chat {

class Scope {
 public:
  explicit Scope(const Scope* parent) : parent_(parent) {}

  // `name` must outlive the scope.
  void set(Heap& heap, std::string_view name, Value value);
  // Null when no scope knows the name.
  const Value* find(Heap& heap, std::string_view name) const;
  void clear() { variables_.clear(); }

 private:
  Value* find_here(Heap& heap, std::string_view name);

  const Scope* parent_;
  std::vector<std::pair<std::string_view, Value>> variables_;
};

}  // namespace inlay::chat
