#include "text/chat/value.h"

#include "text/chat/compare.h"

namespace inlay::chat {

Value Value::none() {
  Value result;
  result.kind_ = Kind::kNone;
  return result;
}

Value Value::undefined(const std::string* name) {
  Value result;
  result.name_ = name;
  return result;
}

std::string Value::undefined_reason() const {
  return name_ == nullptr ? "the value is undefined" : fmt::format("'{}' is undefined", *name_);
}

const char* Value::type_name() const {
  switch (kind_) {
    case Kind::kUndefined:
      return "undefined";
    case Kind::kNone:
      return "none";
    case Kind::kBoolean:
      return "boolean";
    case Kind::kInteger:
      return "integer";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "string";
    case Kind::kList:
      break;
    case Kind::kDict:
      return "dictionary";
    case Kind::kNamespace:
      return "namespace";
    case Kind::kObject:
      return "function";
  }
  switch (list_->flavour) {
    case Flavour::kList:
      return "list";
    case Flavour::kTuple:
      return "tuple";
    case Flavour::kView:
      return "view of a dictionary";
    case Flavour::kGenerator:
      return "generator";
  }
  return "value";
}

Value* Dict::find(std::string_view key) {
  const auto found = by_text_.find(key);
  return found == by_text_.end() ? nullptr : &entries_[found->second].second;
}

Value* Dict::find(Heap& heap, Value key) {
  if (key.is_string()) {
    heap.budget.text(key.text().size());
    return find(key.bytes());
  }
  for (auto& [known, value] : entries_) {
    heap.budget.step();
    if (equal(heap, known, key)) return &value;
  }
  return nullptr;
}

void Dict::set(Heap& heap, Value key, Value value) {
  const bool hashable = !key.is_dict() && !(key.is_list() && key.list().flavour == Flavour::kList);
  if (!hashable) refuse("a {} cannot be a key of a dictionary", key.type_name());
  if (Value* known = find(heap, key)) {
    *known = value;
    return;
  }
  heap.budget.step();
  if (key.is_string()) by_text_[key.bytes()] = entries_.size();
  entries_.emplace_back(key, value);
}

std::optional<Value> Object::attribute(Heap& /*heap*/, std::string_view /*name*/) {
  return std::nullopt;
}

Value Heap::text(MarkedText text) {
  budget.text(text.size() + text.runs().size() * sizeof(MarkedText::Run));
  budget.step();
  texts_.push_back(std::move(text));
  return Value(&texts_.back());
}

Value Heap::list(std::vector<Value> items, Flavour flavour) {
  budget.step(items.size() + 1);
  lists_.push_back({std::move(items), flavour});
  return Value(&lists_.back());
}

Value Heap::dict() {
  budget.step();
  dicts_.emplace_back();
  return Value(&dicts_.back());
}

Value Heap::undefined(std::string_view name) {
  budget.step();
  names_.emplace_back(name.substr(0, 80));  // only for messages
  return Value::undefined(&names_.back());
}

}  // namespace inlay::chat
