// A loop while it runs: its items one by one, and what the variable `loop` says about them.
#pragma once

#include <functional>
#include <vector>

#include "text/chat/interpreter.h"

namespace inlay::chat {

// Items that pass the loop's own condition. The condition is asked as late as can be, because it
// may read what the body has changed.
class LoopItems {
 public:
  LoopItems(std::vector<Value> items, std::function<bool(Value)> admits)
      : items_(std::move(items)), admits_(std::move(admits)) {}

  bool advance();  // to the next item; false when there is none
  std::size_t index() const { return current_; }
  Value current() const { return admitted_[current_]; }
  const Value* previous() const { return current_ == 0 ? nullptr : &admitted_[current_ - 1]; }
  const Value* next();
  std::size_t size();

 private:
  bool admit_next();

  std::vector<Value> items_;
  std::function<bool(Value)> admits_;
  std::size_t read_ = 0;
  std::vector<Value> admitted_;
  std::size_t current_ = 0;
  bool begun_ = false;
};

// The variable `loop`; a call renders a recursive loop over other items.
class LoopObject : public Object {
 public:
  LoopObject(Interpreter& interpreter, const For& loop, Scope& outer, LoopItems items, int depth)
      : interpreter_(interpreter),
        loop_(loop),
        outer_(outer),
        items_(std::move(items)),
        depth_(depth) {}

  std::string description() const override { return "loop"; }
  Value call(Heap& heap, const Arguments& arguments) override;
  std::optional<Value> attribute(Heap& heap, std::string_view name) override;

  LoopItems& items() { return items_; }
  int depth() const { return depth_; }
  Value cycle(const Arguments& arguments) const;
  // Whether the values differ from those of the call before.
  bool changed(Heap& heap, const std::vector<Value>& values);

 private:
  Interpreter& interpreter_;
  const For& loop_;
  Scope& outer_;
  LoopItems items_;
  int depth_;
  std::optional<std::vector<Value>> last_changed_;
};

}  // namespace inlay::chat
