#include "text/chat/collections.h"

#include <algorithm>
#include <charconv>

#include "text/chat/methods.h"
#include "text/utf8.h"

namespace inlay::chat {
namespace {

// Methods that change a dictionary: the sandbox hides them, and a dot never reaches such a key.
constexpr std::string_view kHidden[] = {"clear", "pop", "popitem", "setdefault", "update"};

bool is_hidden(std::string_view name) {
  return std::find(std::begin(kHidden), std::end(kHidden), name) != std::end(kHidden);
}

Value undefined_part(Heap& heap, Value object, std::string_view name) {
  Value result = heap.undefined(name);
  result.mark = object.mark;
  return result;
}

std::size_t byte_of(std::string_view text, int64_t character) {
  std::size_t at = 0;
  for (; character > 0; --character) at += text::decode_utf8(text, at).length;
  return at;
}

// A position counted from the end when negative; nothing when there is none.
std::optional<int64_t> position(Value index, int64_t length) {
  if (!index.is_integral()) return std::nullopt;
  const int64_t i = index.integer() < 0 ? index.integer() + length : index.integer();
  return i >= 0 && i < length ? std::optional(i) : std::nullopt;
}

std::optional<Value> character_at(Heap& heap, Value text, Value index) {
  const auto at = position(index, length_of(heap, text));
  if (!at) return std::nullopt;
  const std::size_t begin = byte_of(text.bytes(), *at);
  const std::size_t length = text::decode_utf8(text.bytes(), begin).length;
  return heap.text(text.text().slice(begin, begin + length));
}

std::optional<Value> element_at(Heap& heap, Value object, Value index) {
  if (object.is_string()) return character_at(heap, object, index);
  if (object.is_dict()) {
    const Value* found = object.dict().find(heap, index);
    return found != nullptr ? std::optional(*found) : std::nullopt;
  }
  if (!object.is_list()) return std::nullopt;
  const List& list = object.list();
  if (list.flavour != Flavour::kList && list.flavour != Flavour::kTuple) return std::nullopt;
  const auto at = position(index, static_cast<int64_t>(list.items.size()));
  return at ? std::optional(list.items[static_cast<std::size_t>(*at)]) : std::nullopt;
}

// Namespaces, objects and methods.
std::optional<Value> own_attribute(Heap& heap, Value object, std::string_view name) {
  if (object.is(Kind::kNamespace)) {
    heap.budget.text(name.size());
    const Value* found = object.dict().find(name);
    return found != nullptr ? std::optional(*found) : std::nullopt;
  }
  if (object.is(Kind::kObject)) return object.object().attribute(heap, name);
  return bound_method(heap, object, name);
}

int64_t bound_or(Value bound, int64_t fallback, int64_t length, int64_t lowest, int64_t highest) {
  if (bound.is_none()) return fallback;
  if (!bound.is_integral()) refuse("bounds of a slice are integers, found a {}", bound.type_name());
  const int64_t i = bound.integer() < 0 ? bound.integer() + length : bound.integer();
  return std::clamp(i, lowest, highest);
}

struct Bounds {
  int64_t start;
  int64_t stop;
  int64_t step;
};

Bounds bounds_of(int64_t length, Value start, Value stop, Value step) {
  // A step beyond the length takes one element, whatever its size.
  const int64_t by = bound_or(step, 1, 0, -length - 1, length + 1);
  if (by == 0) refuse("the step of a slice is 0");
  if (by > 0) {
    return {bound_or(start, 0, length, 0, length), bound_or(stop, length, length, 0, length), by};
  }
  return {bound_or(start, length - 1, length, -1, length - 1),
          bound_or(stop, -1, length, -1, length - 1), by};
}

std::vector<Value> sliced(Heap& heap, const std::vector<Value>& items, const Bounds& bounds) {
  std::vector<Value> result;
  const auto span = static_cast<std::size_t>(std::abs(bounds.stop - bounds.start));
  heap.budget.step(span / static_cast<std::size_t>(std::abs(bounds.step)));
  for (int64_t i = bounds.start; bounds.step > 0 ? i < bounds.stop : i > bounds.stop;
       i += bounds.step) {
    result.push_back(items[static_cast<std::size_t>(i)]);
  }
  return result;
}

MarkedText sliced(const MarkedText& text, const Bounds& bounds) {
  if (bounds.step == 1) {
    if (bounds.start >= bounds.stop) return {};
    const std::size_t begin = byte_of(text.bytes(), bounds.start);
    const std::string_view rest = std::string_view(text.bytes()).substr(begin);
    return text.slice(begin, begin + byte_of(rest, bounds.stop - bounds.start));
  }
  std::vector<std::size_t> starts;
  starts.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size(); at += text::decode_utf8(text.bytes(), at).length) {
    starts.push_back(at);
  }
  starts.push_back(text.size());
  MarkedText result;
  for (int64_t i = bounds.start; bounds.step > 0 ? i < bounds.stop : i > bounds.stop;
       i += bounds.step) {
    result.append(text, starts[static_cast<std::size_t>(i)],
                  starts[static_cast<std::size_t>(i) + 1]);
  }
  return result;
}

// "a.0.b" as its parts; digits alone are positions.
Value path_part(Heap& heap, std::string_view part) {
  int64_t position = 0;
  const auto end = std::from_chars(part.data(), part.data() + part.size(), position);
  const bool digits = !part.empty() && part.front() != '-' && end.ec == std::errc() &&
                      end.ptr == part.data() + part.size();
  return digits ? Value(position) : heap.text(part);
}

}  // namespace

Value attribute_of(Heap& heap, Value object, std::string_view name) {
  if (object.is_undefined()) {
    refuse("{}, so it has no attribute '{}'", object.undefined_reason(), name);
  }
  if (const auto own = own_attribute(heap, object, name)) return *own;
  if (object.is_dict() && !is_hidden(name)) {
    if (const Value* found = object.dict().find(name)) return *found;
  }
  return undefined_part(heap, object, name);
}

Value item_of(Heap& heap, Value object, Value index) {
  if (object.is_undefined()) refuse("{}, so it has no items", object.undefined_reason());
  if (const auto element = element_at(heap, object, index)) return *element;
  if (!index.is_string()) return undefined_part(heap, object, "item");
  if (const auto own = own_attribute(heap, object, index.bytes())) return *own;
  return undefined_part(heap, object, index.bytes());
}

Value slice_of(Heap& heap, Value object, Value start, Value stop, Value step) {
  if (object.is_undefined()) refuse("{}, so it has no slice", object.undefined_reason());
  if (object.is_string()) {
    const Bounds bounds = bounds_of(length_of(heap, object), start, stop, step);
    return heap.text(sliced(object.text(), bounds));
  }
  const bool is_sequence = object.is_list() && (object.list().flavour == Flavour::kList ||
                                                object.list().flavour == Flavour::kTuple);
  if (!is_sequence) return undefined_part(heap, object, "slice");
  const List& list = object.list();
  const Bounds bounds = bounds_of(static_cast<int64_t>(list.items.size()), start, stop, step);
  Value result = heap.list(sliced(heap, list.items, bounds), list.flavour);
  result.mark = object.mark;
  return result;
}

Value item_by_path(Heap& heap, Value object, Value path, Value otherwise) {
  auto part_of = [&](Value whole, Value part) {
    const Value found = item_of(heap, whole, part);
    return found.is_undefined() && !otherwise.is_undefined() ? otherwise : found;
  };
  if (!path.is_string()) return part_of(object, path);
  std::string_view rest = path.bytes();
  while (true) {
    const std::size_t dot = rest.find('.');
    object = part_of(object, path_part(heap, rest.substr(0, dot)));
    if (dot == std::string_view::npos) return object;
    rest.remove_prefix(dot + 1);
  }
}

std::vector<Value> pairs(Heap& heap, Dict& dict) {
  std::vector<Value> result;
  result.reserve(dict.size());
  for (const auto& [key, value] : dict.entries()) {
    result.push_back(heap.list({key, value}, Flavour::kTuple));
  }
  return result;
}

int64_t length_of(Heap& heap, Value value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return 0;
    case Kind::kString:
      heap.budget.text(value.text().size());
      return static_cast<int64_t>(text::count_utf8_chars(value.bytes()));
    case Kind::kDict:
      return static_cast<int64_t>(value.dict().size());
    case Kind::kList:
      if (value.list().flavour == Flavour::kGenerator) break;
      return static_cast<int64_t>(value.list().items.size());
    default:
      break;
  }
  refuse("a {} has no length", value.type_name());
}

}  // namespace inlay::chat
