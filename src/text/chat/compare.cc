#include "text/chat/compare.h"

#include <algorithm>
#include <cstring>

#include "text/utf8.h"

namespace inlay::chat {
namespace {

bool equal_numbers(Value a, Value b) {
  if (a.is_integral() && b.is_integral()) return a.integer() == b.integer();
  return a.number() == b.number();
}

// Lists and tuples; the two are never equal.
bool equal_lists(Heap& heap, const List& a, const List& b) {
  if (&a == &b) return true;
  if (a.flavour != b.flavour || a.items.size() != b.items.size()) return false;
  const Budget::Level level(heap.budget);
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!equal(heap, a.items[i], b.items[i])) return false;
  }
  return true;
}

bool equal_dicts(Heap& heap, Dict& a, Dict& b) {
  if (&a == &b) return true;
  if (a.size() != b.size()) return false;
  const Budget::Level level(heap.budget);
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const auto& entry) {
    const Value* other = b.find(heap, entry.first);
    return other != nullptr && equal(heap, entry.second, *other);
  });
}

bool less_lists(Heap& heap, const List& a, const List& b) {
  const Budget::Level level(heap.budget);
  const std::size_t shared = std::min(a.items.size(), b.items.size());
  for (std::size_t i = 0; i < shared; ++i) {
    if (!equal(heap, a.items[i], b.items[i])) return less(heap, a.items[i], b.items[i]);
  }
  return a.items.size() < b.items.size();
}

std::vector<Value> characters(Heap& heap, const MarkedText& text) {
  std::vector<Value> result;
  heap.budget.step(text.size());
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = at + text::decode_utf8(text.bytes(), at).length;
    result.push_back(heap.text(text.slice(at, next)));
    at = next;
  }
  return result;
}

}  // namespace

bool truth(Value value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBoolean:
    case Kind::kInteger:
      return value.integer() != 0;
    case Kind::kFloat:
      return value.number() != 0;
    case Kind::kString:
      return !value.text().empty();
    case Kind::kList:
      return value.list().flavour == Flavour::kGenerator || !value.list().items.empty();
    case Kind::kDict:
      return value.dict().size() != 0;
    case Kind::kNamespace:
    case Kind::kObject:
      return true;
  }
  return false;
}

bool equal(Heap& heap, Value a, Value b) {
  heap.budget.step();
  if (a.is_number() && b.is_number()) return equal_numbers(a, b);
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kString:
      if (a.text().size() != b.text().size()) return false;
      heap.budget.text(a.text().size());
      return a.bytes() == b.bytes();
    case Kind::kList:
      return equal_lists(heap, a.list(), b.list());
    case Kind::kDict:
      return equal_dicts(heap, a.dict(), b.dict());
    case Kind::kNamespace:
      return &a.dict() == &b.dict();
    case Kind::kObject:
      return &a.object() == &b.object();
    default:
      return true;  // none and undefined equal their own kind
  }
}

bool less(Heap& heap, Value a, Value b) {
  heap.budget.step();
  if (a.is_integral() && b.is_integral()) return a.integer() < b.integer();
  if (a.is_number() && b.is_number()) return a.number() < b.number();
  if (a.is_string() && b.is_string()) {
    heap.budget.text(std::min(a.text().size(), b.text().size()));
    return a.bytes() < b.bytes();  // UTF-8 sorts by code point
  }
  if (a.is_list() && b.is_list() && a.list().flavour == b.list().flavour) {
    return less_lists(heap, a.list(), b.list());
  }
  if (a.is_undefined()) refuse("{}", a.undefined_reason());
  if (b.is_undefined()) refuse("{}", b.undefined_reason());
  refuse("a {} and a {} have no order", a.type_name(), b.type_name());
}

bool contains(Heap& heap, Value container, Value item) {
  switch (container.kind()) {
    case Kind::kString:
      if (!item.is_string()) refuse("a {} cannot be looked for in a string", item.type_name());
      heap.budget.text(container.text().size());
      return find_bytes(container.bytes(), item.bytes(), 0) != std::string::npos;
    case Kind::kDict:
      return container.dict().find(heap, item) != nullptr;
    case Kind::kList:
    case Kind::kUndefined:
      break;
    default:
      refuse("nothing can be looked for in a {}", container.type_name());
  }
  for (const Value& element : elements(heap, container)) {
    if (equal(heap, element, item)) return true;
  }
  return false;
}

std::vector<Value> elements(Heap& heap, Value value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return {};
    case Kind::kString:
      return characters(heap, value.text());
    case Kind::kDict: {
      std::vector<Value> keys;
      heap.budget.step(value.dict().size());
      keys.reserve(value.dict().size());
      for (const auto& [key, unused] : value.dict().entries()) keys.push_back(key);
      return keys;
    }
    case Kind::kList:
      heap.budget.step(value.list().items.size());
      if (value.list().flavour == Flavour::kGenerator) return std::move(value.list().items);
      return value.list().items;
    default:
      refuse("a {} cannot be iterated over", value.type_name());
  }
}

std::size_t find_bytes(std::string_view text, std::string_view wanted, std::size_t from) {
  if (from > text.size()) return std::string::npos;
  if (wanted.empty()) return from;
  // memmem: std::string_view::find takes quadratic time on repetitive text.
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  if (found == nullptr) return std::string::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace inlay::chat
