#include "text/chat/operators.h"

#include <cmath>

#include "text/chat/compare.h"
#include "text/chat/text_join.h"

namespace inlay::chat {
namespace {

constexpr const char* symbol(BinaryOperator op) {
  constexpr const char* kSymbols[] = {"+", "-", "*", "/", "//", "%", "**"};
  return kSymbols[static_cast<std::size_t>(op)];
}

[[noreturn]] void refuse_operands(BinaryOperator op, Value left, Value right) {
  if (left.is_undefined()) refuse("{}, so '{}' fails", left.undefined_reason(), symbol(op));
  if (right.is_undefined()) refuse("{}, so '{}' fails", right.undefined_reason(), symbol(op));
  refuse("'{}' does not work between a {} and a {}", symbol(op), left.type_name(),
         right.type_name());
}

[[noreturn]] void refuse_overflow(BinaryOperator op, int64_t a, int64_t b) {
  refuse("{} {} {} is too large", a, symbol(op), b);
}

void require_divisor(bool not_zero) {
  if (!not_zero) refuse("division by zero");
}

// Rounds towards minus infinity, as Python does.
int64_t floor_divided(int64_t a, int64_t b) {
  require_divisor(b != 0);
  if (b == -1) {
    int64_t result = 0;
    if (__builtin_sub_overflow(int64_t{0}, a, &result)) {
      refuse_overflow(BinaryOperator::kFloorDivide, a, b);
    }
    return result;
  }
  const int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

int64_t modulo(int64_t a, int64_t b) {
  require_divisor(b != 0);
  if (b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

int64_t power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  // Beyond 64 rounds only 0, 1 and -1 do not overflow, and those repeat.
  const int64_t rounds = exponent < 64 ? exponent : 64 + exponent % 2;
  for (int64_t i = 0; i < rounds; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) {
      refuse_overflow(BinaryOperator::kPower, base, exponent);
    }
  }
  return result;
}

Value apply_integers(BinaryOperator op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case BinaryOperator::kAdd:
      if (__builtin_add_overflow(a, b, &result)) refuse_overflow(op, a, b);
      return Value(result);
    case BinaryOperator::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) refuse_overflow(op, a, b);
      return Value(result);
    case BinaryOperator::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) refuse_overflow(op, a, b);
      return Value(result);
    case BinaryOperator::kDivide:
      require_divisor(b != 0);
      return Value(static_cast<double>(a) / static_cast<double>(b));
    case BinaryOperator::kFloorDivide:
      return Value(floor_divided(a, b));
    case BinaryOperator::kModulo:
      return Value(modulo(a, b));
    case BinaryOperator::kPower:
      break;
  }
  if (b >= 0) return Value(power(a, b));
  require_divisor(a != 0);
  return Value(std::pow(static_cast<double>(a), static_cast<double>(b)));
}

double float_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value apply_floats(BinaryOperator op, double a, double b) {
  const bool divides = op == BinaryOperator::kDivide || op == BinaryOperator::kFloorDivide ||
                       op == BinaryOperator::kModulo;
  require_divisor(!divides || b != 0);
  switch (op) {
    case BinaryOperator::kAdd:
      return Value(a + b);
    case BinaryOperator::kSubtract:
      return Value(a - b);
    case BinaryOperator::kMultiply:
      return Value(a * b);
    case BinaryOperator::kDivide:
      return Value(a / b);
    case BinaryOperator::kFloorDivide:
      return Value(std::floor(a / b));
    case BinaryOperator::kModulo:
      return Value(float_modulo(a, b));
    case BinaryOperator::kPower:
      break;
  }
  require_divisor(a != 0 || b >= 0);
  return Value(std::pow(a, b));
}

Value add_lists(Heap& heap, Value left, Value right) {
  std::vector<Value> items = elements(heap, left);
  const std::vector<Value> more = elements(heap, right);
  items.insert(items.end(), more.begin(), more.end());
  return heap.list(std::move(items), left.list().flavour);
}

Value repeat_list(Heap& heap, const List& list, int64_t count) {
  std::vector<Value> items;
  for (; count > 0 && !list.items.empty(); --count) {
    heap.budget.step(list.items.size());
    items.insert(items.end(), list.items.begin(), list.items.end());
  }
  return heap.list(std::move(items), list.flavour);
}

bool can_add(Value left, Value right) {
  if (!left.is_list() || !right.is_list()) return false;
  const Flavour flavour = left.list().flavour;
  return flavour == right.list().flavour &&
         (flavour == Flavour::kList || flavour == Flavour::kTuple);
}

Value repeat(Heap& heap, Value left, Value right) {
  if (left.is_integral()) std::swap(left, right);
  if (!right.is_integral() || !(left.is_string() || left.is_list())) {
    refuse_operands(BinaryOperator::kMultiply, left, right);
  }
  if (left.is_string()) return heap.text(repeated(heap, left.text(), right.integer()));
  return repeat_list(heap, left.list(), right.integer());
}

}  // namespace

Value apply(Heap& heap, BinaryOperator op, Value left, Value right) {
  if (left.is_integral() && right.is_integral()) {
    return apply_integers(op, left.integer(), right.integer());
  }
  if (left.is_number() && right.is_number()) return apply_floats(op, left.number(), right.number());
  if (op == BinaryOperator::kAdd && left.is_string() && right.is_string()) {
    MarkedText text = left.text();
    text.append(right.text());
    return heap.text(std::move(text));
  }
  if (op == BinaryOperator::kAdd && can_add(left, right)) return add_lists(heap, left, right);
  if (op == BinaryOperator::kMultiply) return repeat(heap, left, right);
  if (op == BinaryOperator::kModulo && left.is_string()) {
    refuse("formatting with '%' is not supported; use '~'");
  }
  refuse_operands(op, left, right);
}

Value negated(Value operand) {
  if (operand.is_integral()) {
    return apply_integers(BinaryOperator::kSubtract, 0, operand.integer());
  }
  if (operand.is(Kind::kFloat)) return Value(-operand.number());
  if (operand.is_undefined()) refuse("{}, so '-' fails", operand.undefined_reason());
  refuse("'-' does not work on a {}", operand.type_name());
}

bool compare(Heap& heap, Comparison op, Value left, Value right) {
  switch (op) {
    case Comparison::kEqual:
      return equal(heap, left, right);
    case Comparison::kNotEqual:
      return !equal(heap, left, right);
    case Comparison::kLess:
      return less(heap, left, right);
    case Comparison::kLessEqual:
      return less(heap, left, right) || equal(heap, left, right);
    case Comparison::kGreater:
      return less(heap, right, left);
    case Comparison::kGreaterEqual:
      return less(heap, right, left) || equal(heap, left, right);
    case Comparison::kIn:
      return contains(heap, right, left);
    case Comparison::kNotIn:
      return !contains(heap, right, left);
  }
  return false;
}

}  // namespace inlay::chat
