// The statements of a template, run. See interpreter.h.
#include <utility>

#include "text/chat/compare.h"
#include "text/chat/interpreter.h"
#include "text/chat/loop.h"
#include "text/chat/value_text.h"

namespace inlay::chat {

MarkedText Interpreter::render(const Block& block) {
  MarkedText text;
  MarkedText* outer = std::exchange(out_, &text);
  execute(block);
  out_ = outer;
  return text;
}

Interpreter::Flow Interpreter::execute(const Block& block) {
  for (const Statement& statement : block) {
    const Flow flow = execute(statement);
    if (flow != Flow::kOn) return flow;
  }
  return Flow::kOn;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  heap_.budget.step();
  const Budget::Level level(heap_.budget);
  place_ = statement.place;
  return std::visit([this](const auto& node) { return run(node); }, statement.node);
}

Interpreter::Flow Interpreter::run(const Text& text) {
  out_->append(*text.text);
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run(const Print& print) {
  append_printed(*print.value, *out_);
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run(const If& statement) {
  for (const Branch& branch : statement.branches) {
    if (!branch.condition || truth(evaluate(*branch.condition))) return execute(*branch.body);
  }
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run_in(Scope& scope, const Block& block) {
  Scope* outer = std::exchange(scope_, &scope);
  const Flow flow = execute(block);
  scope_ = outer;
  return flow;
}

MarkedText Interpreter::capture(const Block& block, Scope& scope, Flow& flow) {
  MarkedText text;
  MarkedText* outer = std::exchange(out_, &text);
  flow = run_in(scope, block);
  out_ = outer;
  heap_.budget.text(text.size());
  return text;
}

Interpreter::Flow Interpreter::run(const For& loop) {
  return run_loop(loop, *scope_, evaluate(*loop.items), 0);
}

MarkedText Interpreter::render_loop(const For& loop, Scope& outer, Value items, int depth) {
  MarkedText text;
  MarkedText* outer_text = std::exchange(out_, &text);
  run_loop(loop, outer, items, depth);
  out_ = outer_text;
  return text;
}

bool Interpreter::admits(const For& loop, Scope& outer, Value item) {
  Scope& scope = new_scope(&outer);
  Scope* before = std::exchange(scope_, &scope);
  assign(loop.target, item);
  const bool result = truth(evaluate(*loop.condition));
  scope_ = before;
  return result;
}

Interpreter::Flow Interpreter::run_loop(const For& loop, Scope& outer, Value items, int depth) {
  if (items.is_none() || items.is_number()) refuse("a {} cannot be looped over", items.type_name());
  std::function<bool(Value)> condition;
  if (loop.condition) {
    condition = [this, &loop, &outer](Value item) { return admits(loop, outer, item); };
  }
  auto& object = heap_.object<LoopObject>(
      *this, loop, outer, LoopItems(elements(heap_, items), std::move(condition)), depth);
  Scope* before = std::exchange(scope_, &new_scope(&outer));
  Flow flow = Flow::kOn;
  const bool completed_one = run_iterations(loop, object, flow);
  scope_ = before;
  // As in Jinja, an iteration that was left by break or continue does not count for the else.
  if (flow == Flow::kBreak || flow == Flow::kContinue) flow = Flow::kOn;
  if (completed_one || !loop.otherwise) return flow;
  return run_in(new_scope(&outer), *loop.otherwise);
}

bool Interpreter::run_iterations(const For& loop, LoopObject& object, Flow& flow) {
  bool completed_one = false;
  while (object.items().advance()) {
    heap_.budget.step();
    scope_->clear();
    scope_->set(heap_, "loop", Value(&object));
    assign(loop.target, object.items().current());
    flow = execute(*loop.body);
    if (flow == Flow::kBreak) break;
    completed_one = completed_one || flow == Flow::kOn;
  }
  return completed_one;
}

Interpreter::Flow Interpreter::run(const Set& statement) {
  assign(statement.target, evaluate(*statement.value));
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run(const SetBlock& statement) {
  Flow flow = Flow::kOn;
  MarkedText text = capture(*statement.body, new_scope(scope_), flow);
  if (flow != Flow::kOn) return flow;
  assign(statement.target, filtered(heap_.text(std::move(text)), statement.filters));
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run(const FilterBlock& statement) {
  Flow flow = Flow::kOn;
  MarkedText text = capture(*statement.body, new_scope(scope_), flow);
  if (flow != Flow::kOn) return flow;
  out_->append(to_text(heap_, filtered(heap_.text(std::move(text)), statement.filters)));
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run(const With& statement) {
  Scope& scope = new_scope(scope_);
  // Values are evaluated outside of the new scope.
  for (const auto& [target, expression] : statement.assignments) {
    const Value value = evaluate(*expression);
    Scope* outer = std::exchange(scope_, &scope);
    assign(target, value);
    scope_ = outer;
  }
  return run_in(scope, *statement.body);
}

Interpreter::Flow Interpreter::run(const Macro& statement) {
  scope_->set(heap_, statement.definition->name, macro_value(*statement.definition));
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run(const CallBlock& statement) {
  const auto& node = std::get<Call>(statement.call->node);
  Arguments arguments = arguments_of(node.arguments);
  arguments.named.emplace_back("caller", macro_value(*statement.caller));
  const Value value = call(evaluate(*node.callee), arguments);
  out_->append(to_text(heap_, value));
  return Flow::kOn;
}

Interpreter::Flow Interpreter::run(const Generation& statement) {
  Flow flow = Flow::kOn;
  MarkedText text = capture(*statement.body, new_scope(scope_), flow);
  text.mark_generation();
  out_->append(text);
  return flow;
}

void Interpreter::assign(const Target& target, Value value) {
  if (!target.tuple.empty()) return assign_tuple(target, value);
  if (target.attribute.empty()) return scope_->set(heap_, target.name, value);
  const Value* found = scope_->find(heap_, target.name);
  if (found == nullptr || !found->is(Kind::kNamespace)) {
    refuse("'{}' is not a namespace, so its '{}' cannot be set", target.name, target.attribute);
  }
  found->dict().set(heap_, heap_.text(target.attribute), value);
}

void Interpreter::assign_tuple(const Target& target, Value value) {
  const std::vector<Value> values = elements(heap_, value);
  if (values.size() != target.tuple.size()) {
    refuse("{} values cannot be assigned to {} names", values.size(), target.tuple.size());
  }
  for (std::size_t i = 0; i < values.size(); ++i) assign(target.tuple[i], values[i]);
}

}  // namespace inlay::chat
