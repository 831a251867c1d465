#include "text/chat/loop.h"

#include "text/chat/arguments.h"
#include "text/chat/compare.h"

namespace inlay::chat {
namespace {

using Read = Value (*)(Heap& heap, LoopObject& loop);

Value number(std::size_t value) { return Value(static_cast<int64_t>(value)); }

Value item_or_undefined(Heap& heap, const Value* item, std::string_view name) {
  return item != nullptr ? *item : heap.undefined(name);
}

// A method of the loop, bound.
class LoopMethod : public Object {
 public:
  using Body = Value (*)(Heap& heap, LoopObject& loop, const Arguments& arguments);
  LoopMethod(LoopObject& loop, Body body) : loop_(loop), body_(body) {}
  std::string description() const override { return "method of loop"; }
  Value call(Heap& heap, const Arguments& arguments) override {
    return body_(heap, loop_, arguments);
  }

 private:
  LoopObject& loop_;
  Body body_;
};

Value cycle_method(Heap& /*heap*/, LoopObject& loop, const Arguments& arguments) {
  return loop.cycle(arguments);
}
Value changed_method(Heap& heap, LoopObject& loop, const Arguments& arguments) {
  return Value(loop.changed(heap, arguments.positional));
}

constexpr std::pair<std::string_view, Read> kAttributes[] = {
    {"index", [](Heap&, LoopObject& l) { return number(l.items().index() + 1); }},
    {"index0", [](Heap&, LoopObject& l) { return number(l.items().index()); }},
    {"revindex", [](Heap&, LoopObject& l) { return number(l.items().size() - l.items().index()); }},
    {"revindex0",
     [](Heap&, LoopObject& l) { return number(l.items().size() - l.items().index() - 1); }},
    {"first", [](Heap&, LoopObject& l) { return Value(l.items().index() == 0); }},
    {"last", [](Heap&, LoopObject& l) { return Value(l.items().next() == nullptr); }},
    {"length", [](Heap&, LoopObject& l) { return number(l.items().size()); }},
    {"previtem",
     [](Heap& h, LoopObject& l) { return item_or_undefined(h, l.items().previous(), "previtem"); }},
    {"nextitem",
     [](Heap& h, LoopObject& l) { return item_or_undefined(h, l.items().next(), "nextitem"); }},
    {"depth", [](Heap&, LoopObject& l) { return Value(int64_t{l.depth()} + 1); }},
    {"depth0", [](Heap&, LoopObject& l) { return Value(int64_t{l.depth()}); }},
    {"cycle", [](Heap& h, LoopObject& l) { return Value(&h.object<LoopMethod>(l, cycle_method)); }},
    {"changed",
     [](Heap& h, LoopObject& l) { return Value(&h.object<LoopMethod>(l, changed_method)); }},
};

}  // namespace

bool LoopItems::admit_next() {
  while (read_ < items_.size()) {
    const Value item = items_[read_++];
    if (admits_ && !admits_(item)) continue;
    admitted_.push_back(item);
    return true;
  }
  return false;
}

bool LoopItems::advance() {
  const std::size_t wanted = begun_ ? current_ + 1 : 0;
  if (wanted >= admitted_.size() && !admit_next()) return false;
  current_ = wanted;
  begun_ = true;
  return true;
}

const Value* LoopItems::next() {
  if (current_ + 1 >= admitted_.size() && !admit_next()) return nullptr;
  return &admitted_[current_ + 1];
}

std::size_t LoopItems::size() {
  while (admit_next()) {
  }
  return admitted_.size();
}

Value LoopObject::call(Heap& heap, const Arguments& arguments) {
  const Bound bound("loop", arguments, {"iterable"});
  if (!loop_.recursive) refuse("loop() needs a loop that is marked 'recursive'");
  return heap.text(interpreter_.render_loop(loop_, outer_, bound.required(0), depth_ + 1));
}

std::optional<Value> LoopObject::attribute(Heap& heap, std::string_view name) {
  for (const auto& [known, read] : kAttributes) {
    if (known == name) return read(heap, *this);
  }
  return std::nullopt;
}

Value LoopObject::cycle(const Arguments& arguments) const {
  if (arguments.positional.empty()) refuse("loop.cycle needs values");
  return arguments.positional[items_.index() % arguments.positional.size()];
}

bool LoopObject::changed(Heap& heap, const std::vector<Value>& values) {
  bool same = last_changed_ && last_changed_->size() == values.size();
  for (std::size_t i = 0; same && i < values.size(); ++i) {
    same = equal(heap, (*last_changed_)[i], values[i]);
  }
  if (!same) last_changed_ = values;
  return !same;
}

}  // namespace inlay::chat
