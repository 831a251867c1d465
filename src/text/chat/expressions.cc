// The expressions of a template, evaluated. See interpreter.h.
#include <utility>

#include "text/chat/collections.h"
#include "text/chat/compare.h"
#include "text/chat/interpreter.h"
#include "text/chat/operators.h"
#include "text/chat/value_text.h"

namespace inlay::chat {

Value Interpreter::evaluate(const Expression& expression) {
  heap_.budget.step();
  const Budget::Level level(heap_.budget);
  const Place outer = std::exchange(place_, expression.place);
  const Value result =
      std::visit([this](const auto& node) { return value_of(node); }, expression.node);
  place_ = outer;
  return result;
}

Value Interpreter::value_of(const Name& node) {
  const Value* found = scope_->find(heap_, node.name);
  return found != nullptr ? *found : Value::undefined(&node.name);
}

Value Interpreter::value_of(const ListDisplay& node) {
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const ExpressionPtr& item : node.items) items.push_back(evaluate(*item));
  return heap_.list(std::move(items), node.flavour);
}

Value Interpreter::value_of(const DictDisplay& node) {
  const Value dict = heap_.dict();
  for (const auto& [key, value] : node.entries) {
    const Value evaluated_key = evaluate(*key);
    dict.dict().set(heap_, evaluated_key, evaluate(*value));
  }
  return dict;
}

Value Interpreter::value_of(const Attribute& node) {
  return attribute_of(heap_, evaluate(*node.object), node.name);
}

Value Interpreter::value_of(const Subscript& node) {
  const Value object = evaluate(*node.object);
  return item_of(heap_, object, evaluate(*node.index));
}

Value Interpreter::value_of(const Slice& node) {
  auto bound = [&](const ExpressionPtr& part) { return part ? evaluate(*part) : Value::none(); };
  const Value object = evaluate(*node.object);
  const Value start = bound(node.start);
  const Value stop = bound(node.stop);
  return slice_of(heap_, object, start, stop, bound(node.step));
}

Arguments Interpreter::arguments_of(const CallArguments& arguments) {
  Arguments result;
  result.positional.reserve(arguments.positional.size());
  for (const ExpressionPtr& value : arguments.positional) {
    result.positional.push_back(evaluate(*value));
  }
  result.named.reserve(arguments.named.size());
  for (const auto& [name, value] : arguments.named) {
    result.named.emplace_back(name, evaluate(*value));
  }
  return result;
}

Value Interpreter::value_of(const Call& node) {
  const Value callee = evaluate(*node.callee);
  return call(callee, arguments_of(node.arguments));
}

Value Interpreter::call(Value callee, const Arguments& arguments) {
  if (callee.is_undefined()) refuse("{}, so it cannot be called", callee.undefined_reason());
  if (!callee.is(Kind::kObject)) refuse("a {} cannot be called", callee.type_name());
  return callee.object().call(heap_, arguments);
}

Value Interpreter::value_of(const FilterCall& node) {
  const Value subject = evaluate(*node.subject);
  return node.filter->apply(heap_, subject, arguments_of(node.arguments));
}

Value Interpreter::filtered(Value subject, const std::vector<ExpressionPtr>& filters) {
  for (const ExpressionPtr& filter : filters) {
    const auto& node = std::get<FilterCall>(filter->node);
    subject = node.filter->apply(heap_, subject, arguments_of(node.arguments));
  }
  return subject;
}

Value Interpreter::value_of(const TestCall& node) {
  const Value subject = evaluate(*node.subject);
  return Value(node.test->holds(heap_, subject, arguments_of(node.arguments)) != node.negated);
}

Value Interpreter::value_of(const Unary& node) {
  const Value operand = evaluate(*node.operand);
  if (node.op == Unary::Operator::kNot) return Value(!truth(operand));
  if (node.op == Unary::Operator::kMinus) return negated(operand);
  return negated(negated(operand));
}

Value Interpreter::value_of(const Binary& node) {
  const Value left = evaluate(*node.left);
  return apply(heap_, node.op, left, evaluate(*node.right));
}

Value Interpreter::value_of(const Concatenation& node) {
  MarkedText text;
  for (const ExpressionPtr& part : node.parts) append_printed(*part, text);
  return heap_.text(std::move(text));
}

void Interpreter::append_printed(const Expression& expression, MarkedText& out) {
  const Value value = evaluate(expression);
  const auto* name = std::get_if<Name>(&expression.node);
  // Printed as nothing, it would leave the assistant's turns without an end.
  if (value.is_undefined() && name != nullptr && name->name == "eos_token") {
    place_ = expression.place;
    refuse(
        "the template ends turns with eos_token, and the tokenizer names none; name the token "
        "in the tokenizer's configuration");
  }
  if (value.is_string()) {
    out.append(value.text());
  } else {
    out.append(to_text(heap_, value));
  }
}

Value Interpreter::value_of(const Logical& node) {
  Value value;
  for (const ExpressionPtr& part : node.parts) {
    value = evaluate(*part);
    if (truth(value) != node.is_and) return value;
  }
  return value;
}

Value Interpreter::value_of(const Comparisons& node) {
  Value left = evaluate(*node.first);
  for (const auto& [op, expression] : node.rest) {
    const Value right = evaluate(*expression);
    if (!compare(heap_, op, left, right)) return Value(false);
    left = right;
  }
  return Value(true);
}

Value Interpreter::value_of(const Conditional& node) {
  if (truth(evaluate(*node.condition))) return evaluate(*node.then);
  return node.otherwise ? evaluate(*node.otherwise) : Value();
}

}  // namespace inlay::chat
