// Methods of Python's list and dict. Hugging Face's sandbox refuses what changes a value;
// list.append alone is allowed here, for templates that were written for other engines.
#include "text/chat/arguments.h"
#include "text/chat/collections.h"
#include "text/chat/compare.h"
#include "text/chat/methods.h"

namespace inlay::chat {
namespace {

Value append(Heap& heap, Value self, const Arguments& arguments) {
  const Bound bound("append", arguments, {"object"});
  if (self.list().flavour != Flavour::kList) refuse("a {} has no append", self.type_name());
  heap.budget.step();
  self.list().items.push_back(bound.required(0));
  return Value::none();
}

Value count(Heap& heap, Value self, const Arguments& arguments) {
  const Value wanted = Bound("count", arguments, {"value"}).required(0);
  int64_t result = 0;
  for (const Value& item : self.list().items) result += equal(heap, item, wanted) ? 1 : 0;
  return Value(result);
}

Value index(Heap& heap, Value self, const Arguments& arguments) {
  const Value wanted = Bound("index", arguments, {"value"}).required(0);
  const std::vector<Value>& items = self.list().items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (equal(heap, items[i], wanted)) return Value(static_cast<int64_t>(i));
  }
  refuse("index: the list does not hold the value");
}

Value get(Heap& heap, Value self, const Arguments& arguments) {
  const Bound bound("get", arguments, {"key", "default"});
  const Value* found = self.dict().find(heap, bound.required(0));
  return found != nullptr ? *found : bound.value(1, Value::none());
}

Value items(Heap& heap, Value self, const Arguments& arguments) {
  const Bound none("items", arguments, {});
  return heap.list(pairs(heap, self.dict()), Flavour::kView);
}

Value keys(Heap& heap, Value self, const Arguments& arguments) {
  const Bound none("keys", arguments, {});
  return heap.list(elements(heap, self), Flavour::kView);
}

Value values(Heap& heap, Value self, const Arguments& arguments) {
  const Bound none("values", arguments, {});
  std::vector<Value> result;
  result.reserve(self.dict().size());
  for (const auto& [key, value] : self.dict().entries()) result.push_back(value);
  return heap.list(std::move(result), Flavour::kView);
}

Value copy(Heap& heap, Value self, const Arguments& arguments) {
  const Bound none("copy", arguments, {});
  const Value result = heap.dict();
  for (const auto& [key, value] : self.dict().entries()) result.dict().set(heap, key, value);
  return result;
}

constexpr Method kListMethods[] = {{"append", append}, {"count", count}, {"index", index}};
constexpr Method kDictMethods[] = {
    {"copy", copy}, {"get", get}, {"items", items}, {"keys", keys}, {"values", values}};

}  // namespace

std::span<const Method> list_methods() { return kListMethods; }
std::span<const Method> dict_methods() { return kDictMethods; }

}  // namespace inlay::chat
