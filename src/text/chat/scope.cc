#include "text/chat/scope.h"

namespace inlay::chat {

Value* Scope::find_here(Heap& heap, std::string_view name) {
  heap.budget.step(variables_.size() / 16);
  for (auto& [known, value] : variables_) {
    if (known == name) return &value;
  }
  return nullptr;
}

void Scope::set(Heap& heap, std::string_view name, Value value) {
  if (Value* known = find_here(heap, name)) {
    *known = value;
  } else {
    variables_.emplace_back(name, value);
  }
}

const Value* Scope::find(Heap& heap, std::string_view name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
    heap.budget.step(1 + scope->variables_.size() / 16);
    for (const auto& [known, value] : scope->variables_) {
      if (known == name) return &value;
    }
  }
  return nullptr;
}

}  // namespace inlay::chat
