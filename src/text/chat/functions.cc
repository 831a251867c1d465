#include "text/chat/functions.h"

#include "text/chat/arguments.h"
#include "text/chat/compare.h"
#include "text/chat/value_text.h"
#include "text/utf8.h"

namespace inlay::chat {
namespace {

using Body = Value (*)(Heap& heap, const Arguments& arguments);

class Function : public Object {
 public:
  Function(std::string_view name, Body body) : name_(name), body_(body) {}
  std::string description() const override { return fmt::format("function '{}'", name_); }
  Value call(Heap& heap, const Arguments& arguments) override { return body_(heap, arguments); }

 private:
  std::string_view name_;
  Body body_;
};

class StrftimeNow : public Object {
 public:
  explicit StrftimeNow(const std::tm& now) : now_(now) {}
  std::string description() const override { return "function 'strftime_now'"; }
  Value call(Heap& heap, const Arguments& arguments) override {
    const Value format = Bound("strftime_now", arguments, {"format"}).required_text(0);
    if (format.text().empty()) return format;
    char buffer[1024];
    const std::size_t size = std::strftime(buffer, sizeof buffer, format.bytes().c_str(), &now_);
    if (size == 0) refuse("strftime_now gives nothing, or more than {} bytes", sizeof buffer);
    const std::string_view text(buffer, size);
    if (text::first_invalid_utf8(text)) refuse("strftime_now gives text that is not UTF-8");
    return heap.text(text);
  }

 private:
  std::tm now_;
};

// How many numbers a range has, without overflow for any bounds.
uint64_t range_size(int64_t start, int64_t stop, int64_t step) {
  if (step > 0 ? start >= stop : start <= stop) return 0;
  const uint64_t span = step > 0 ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                                 : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : -static_cast<uint64_t>(step);
  return (span - 1) / stride + 1;
}

Value range(Heap& heap, const Arguments& arguments) {
  const Bound bound("range", arguments, {"start", "stop", "step"});
  bound.required(0);
  const int64_t start = bound.has(1) ? bound.integer(0, 0) : 0;
  const int64_t stop = bound.has(1) ? bound.integer(1, 0) : bound.integer(0, 0);
  const int64_t step = bound.integer(2, 1);
  if (step == 0) refuse("the step of range is 0");
  const uint64_t size = range_size(start, stop, step);
  if (size > static_cast<uint64_t>(kMaxRange)) {
    refuse("range has {} numbers; at most {} are allowed", size, kMaxRange);
  }
  std::vector<Value> numbers;
  numbers.reserve(size);
  int64_t number = start;
  for (uint64_t i = 0; i < size; ++i) {
    numbers.emplace_back(number);
    if (i + 1 < size) number += step;
  }
  return heap.list(std::move(numbers));
}

// The entries of a dictionary or of a list of pairs, then the named arguments.
void fill(Heap& heap, Dict& dict, const Arguments& arguments) {
  if (arguments.positional.size() > 1) refuse("expected at most one value without a name");
  for (const Value& source : arguments.positional) {
    if (source.is_dict()) {
      for (const auto& [key, value] : source.dict().entries()) dict.set(heap, key, value);
      continue;
    }
    for (const Value& pair : elements(heap, source)) {
      const std::vector<Value> parts = elements(heap, pair);
      if (parts.size() != 2) refuse("expected pairs of key and value");
      dict.set(heap, parts[0], parts[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) dict.set(heap, heap.text(name), value);
}

Value make_namespace(Heap& heap, const Arguments& arguments) {
  const Value dict = heap.dict();
  fill(heap, dict.dict(), arguments);
  return Value(&dict.dict(), Kind::kNamespace);
}

Value make_dict(Heap& heap, const Arguments& arguments) {
  const Value dict = heap.dict();
  fill(heap, dict.dict(), arguments);
  return dict;
}

Value raise_exception(Heap& heap, const Arguments& arguments) {
  const Bound bound("raise_exception", arguments, {"message"});
  const std::string message = to_text(heap, bound.required(0)).bytes();
  refuse("the template refuses the conversation: {}", message.substr(0, 1000));
}

constexpr std::pair<std::string_view, Body> kFunctions[] = {
    {"dict", make_dict},
    {"namespace", make_namespace},
    {"raise_exception", raise_exception},
    {"range", range},
};

}  // namespace

void define_functions(Heap& heap, Scope& scope, const std::tm& now) {
  for (const auto& [name, body] : kFunctions) {
    scope.set(heap, name, Value(&heap.object<Function>(name, body)));
  }
  scope.set(heap, "strftime_now", Value(&heap.object<StrftimeNow>(now)));
}

}  // namespace inlay::chat
