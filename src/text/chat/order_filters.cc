// Filters that compare the items of a sequence. Strings count without regard to case unless
// case_sensitive is set.
#include <algorithm>

#include "text/chat/arguments.h"
#include "text/chat/collections.h"
#include "text/chat/compare.h"
#include "text/chat/filter_functions.h"
#include "text/chat/text_case.h"

namespace inlay::chat::filter {
namespace {

using Keyed = std::pair<Value, Value>;  // what is compared, the item

Value comparable(Heap& heap, Value value, bool case_sensitive) {
  if (case_sensitive || !value.is_string()) return value;
  return heap.text(to_lower(value.text()));
}

std::vector<Keyed> keyed(Heap& heap, Value subject, Value path, bool case_sensitive) {
  std::vector<Keyed> result;
  const std::vector<Value> items = elements(heap, subject);
  result.reserve(items.size());
  for (const Value& item : items) {
    const Value key = path.is_none() ? item : item_by_path(heap, item, path);
    result.emplace_back(comparable(heap, key, case_sensitive), item);
  }
  return result;
}

// Equal ones keep their order, in reverse too.
void sort_by_key(Heap& heap, std::vector<Keyed>& items, bool reverse) {
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    return reverse ? less(heap, b.first, a.first) : less(heap, a.first, b.first);
  });
}

std::vector<Value> items_of(const std::vector<Keyed>& keyed_items) {
  std::vector<Value> result;
  result.reserve(keyed_items.size());
  for (const auto& [key, item] : keyed_items) result.push_back(item);
  return result;
}

Value extreme(Heap& heap, Value subject, const Arguments& arguments, bool greatest) {
  const Bound bound(greatest ? "max" : "min", arguments, {"case_sensitive", "attribute"});
  const auto items = keyed(heap, subject, bound.value(1, Value::none()), bound.flag(0, false));
  if (items.empty()) return heap.undefined(greatest ? "max" : "min");
  const Keyed* best = &items.front();
  for (const Keyed& item : items) {
    const bool better =
        greatest ? less(heap, best->first, item.first) : less(heap, item.first, best->first);
    if (better) best = &item;
  }
  return best->second;
}

}  // namespace

Value sort(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  auto items = keyed(heap, subject, bound.value(2, Value::none()), bound.flag(1, false));
  sort_by_key(heap, items, bound.flag(0, false));
  return heap.list(items_of(items));
}

Value dictsort(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  if (!subject.is_dict()) refuse("dictsort needs a dictionary, found a {}", subject.type_name());
  const std::optional<Value> by = bound.text(1);
  if (by && by->bytes() != "key" && by->bytes() != "value") {
    refuse("dictsort sorts by 'key' or 'value', not by '{}'", by->bytes());
  }
  const Value position(int64_t{by && by->bytes() == "value" ? 1 : 0});
  auto items = keyed(heap, heap.list(pairs(heap, subject.dict())), position, bound.flag(0, false));
  sort_by_key(heap, items, bound.flag(2, false));
  return heap.list(items_of(items));
}

Value min(Heap& heap, Value subject, const Arguments& arguments) {
  return extreme(heap, subject, arguments, false);
}

Value max(Heap& heap, Value subject, const Arguments& arguments) {
  return extreme(heap, subject, arguments, true);
}

Value unique(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("unique", arguments, {"case_sensitive", "attribute"});
  Dict& seen = heap.dict().dict();
  std::vector<Value> result;
  for (const auto& [key, item] :
       keyed(heap, subject, bound.value(1, Value::none()), bound.flag(0, false))) {
    const std::size_t before = seen.size();
    seen.set(heap, key, item);
    if (seen.size() > before) result.push_back(item);
  }
  return heap.list(std::move(result), Flavour::kGenerator);
}

}  // namespace inlay::chat::filter
