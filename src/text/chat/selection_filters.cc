// Filters that apply another filter or a test, named by a string, to each item.
#include "text/chat/arguments.h"
#include "text/chat/collections.h"
#include "text/chat/compare.h"
#include "text/chat/filter_functions.h"
#include "text/chat/filters.h"
#include "text/chat/value_tests.h"

namespace inlay::chat::filter {
namespace {

Value take_first(std::string_view filter, const char* what, Arguments& arguments) {
  if (arguments.positional.empty()) refuse("{} needs {}", filter, what);
  const Value first = arguments.positional.front();
  arguments.positional.erase(arguments.positional.begin());
  return first;
}

std::string name_of(Value value) {
  if (!value.is_string()) refuse("expected a name as a string, found a {}", value.type_name());
  return value.bytes();
}

struct Selection {
  std::string_view filter;
  bool by_attribute;
  bool wanted;  // whether items that pass the test are kept
};

Value chosen(Heap& heap, Value subject, Arguments arguments, const Selection& selection) {
  Value path = Value::none();
  if (selection.by_attribute) path = take_first(selection.filter, "an attribute", arguments);
  const Test* test = nullptr;
  if (!arguments.positional.empty()) {
    const std::string name = name_of(take_first(selection.filter, "a test", arguments));
    test = find_value_test(name);
    if (test == nullptr)
      refuse("{} names a test '{}' that is not supported", selection.filter, name);
  }
  std::vector<Value> kept;
  for (const Value& item : elements(heap, subject)) {
    const Value tested = selection.by_attribute ? item_by_path(heap, item, path) : item;
    const bool passes = test != nullptr ? test->holds(heap, tested, arguments) : truth(tested);
    if (passes == selection.wanted) kept.push_back(item);
  }
  return heap.list(std::move(kept), Flavour::kGenerator);
}

std::vector<Value> attributes(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("map", arguments, {"filter", "attribute", "default"});
  const Value path = bound.required(1);
  std::vector<Value> items = elements(heap, subject);
  for (Value& item : items) item = item_by_path(heap, item, path, bound.value(2, {}));
  return items;
}

}  // namespace

Value map(Heap& heap, Value subject, const Arguments& arguments) {
  if (arguments.positional.empty()) {
    return heap.list(attributes(heap, subject, arguments), Flavour::kGenerator);
  }
  Arguments rest = arguments;
  const std::string name = name_of(take_first("map", "a filter", rest));
  const Filter* filter = find_filter(name);
  if (filter == nullptr) refuse("map names a filter '{}' that is not supported", name);
  const Budget::Level level(heap.budget);  // map('map', 'map', …)
  std::vector<Value> items = elements(heap, subject);
  for (Value& item : items) item = filter->apply(heap, item, rest);
  return heap.list(std::move(items), Flavour::kGenerator);
}

Value select(Heap& heap, Value subject, const Arguments& arguments) {
  return chosen(heap, subject, arguments, {"select", false, true});
}
Value reject(Heap& heap, Value subject, const Arguments& arguments) {
  return chosen(heap, subject, arguments, {"reject", false, false});
}
Value selectattr(Heap& heap, Value subject, const Arguments& arguments) {
  return chosen(heap, subject, arguments, {"selectattr", true, true});
}
Value rejectattr(Heap& heap, Value subject, const Arguments& arguments) {
  return chosen(heap, subject, arguments, {"rejectattr", true, false});
}

}  // namespace inlay::chat::filter
