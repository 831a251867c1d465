// Filters that take parts of a sequence or turn it into another.
#include <algorithm>

#include "text/chat/arguments.h"
#include "text/chat/collections.h"
#include "text/chat/compare.h"
#include "text/chat/filter_functions.h"

namespace inlay::chat::filter {
namespace {

bool is_generator(Value value) {
  return value.is_list() && value.list().flavour == Flavour::kGenerator;
}

}  // namespace

Value default_value(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("default", arguments, {"default_value", "boolean"});
  const bool missing = subject.is_undefined() || (bound.flag(1, false) && !truth(subject));
  if (!missing) return subject;
  return bound.has(0) ? bound.required(0) : heap.text("");
}

Value first(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("first", arguments, {});
  std::vector<Value> items = elements(heap, subject);
  if (items.empty()) return heap.undefined("first");
  const Value result = items.front();
  if (is_generator(subject)) {
    items.erase(items.begin());
    subject.list().items = std::move(items);
  }
  return result;
}

Value last(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("last", arguments, {});
  if (is_generator(subject)) refuse("last needs a list, found a generator; use list first");
  const std::vector<Value> items = elements(heap, subject);
  return items.empty() ? heap.undefined("last") : items.back();
}

Value length(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("length", arguments, {});
  return Value(length_of(heap, subject));
}

Value list(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("list", arguments, {});
  Value result = heap.list(elements(heap, subject));
  result.mark = subject.mark;
  return result;
}

Value items(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("items", arguments, {});
  if (subject.is_undefined()) return heap.list({}, Flavour::kGenerator);
  if (!subject.is_dict()) refuse("items needs a dictionary, found a {}", subject.type_name());
  return heap.list(pairs(heap, subject.dict()), Flavour::kGenerator);
}

Value reverse(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("reverse", arguments, {});
  if (subject.is_string()) {
    const Value backwards(int64_t{-1});
    return slice_of(heap, subject, Value::none(), Value::none(), backwards);
  }
  std::vector<Value> items = elements(heap, subject);
  std::reverse(items.begin(), items.end());
  return heap.list(std::move(items), Flavour::kGenerator);
}

}  // namespace inlay::chat::filter
