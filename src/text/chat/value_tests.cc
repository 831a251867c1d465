#include "text/chat/value_tests.h"

#include <algorithm>

#include "text/chat/arguments.h"
#include "text/chat/compare.h"
#include "text/chat/operators.h"
#include "text/chat/text_case.h"
#include "text/chat/value_text.h"

namespace inlay::chat {
namespace {

template <bool (*kHolds)(Value)>
bool plain(Heap& /*heap*/, Value subject, const Arguments& arguments) {
  const Bound none("this test", arguments, {});
  return kHolds(subject);
}

template <Comparison kOperator>
bool compares(Heap& heap, Value subject, const Arguments& arguments) {
  return compare(heap, kOperator, subject, Bound("this test", arguments, {"other"}).required(0));
}

bool is_iterable(Value value) {
  return value.is_undefined() || value.is_string() || value.is_list() || value.is_dict();
}

// What has a length and can be indexed.
bool is_sequence(Value value) {
  if (value.is_list()) {
    return value.list().flavour == Flavour::kList || value.list().flavour == Flavour::kTuple;
  }
  return is_iterable(value);
}

bool is_true(Value value) { return value.is(Kind::kBoolean) && value.boolean(); }
bool is_false(Value value) { return value.is(Kind::kBoolean) && !value.boolean(); }

bool is_divisible(Heap& heap, Value subject, int64_t by) {
  return equal(heap, apply(heap, BinaryOperator::kModulo, subject, Value(by)), Value(int64_t{0}));
}

bool divisibleby(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("divisibleby", arguments, {"num"});
  bound.required(0);
  return is_divisible(heap, subject, bound.integer(0, 1));
}

template <bool kEven>
bool has_parity(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none(kEven ? "even" : "odd", arguments, {});
  const Value rest = apply(heap, BinaryOperator::kModulo, subject, Value(int64_t{2}));
  return equal(heap, rest, Value(int64_t{kEven ? 0 : 1}));
}

// Python's islower and isupper: some letter has a case, and none has the other.
template <MarkedText (*kChange)(const MarkedText&), MarkedText (*kOther)(const MarkedText&)>
bool has_case(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("this test", arguments, {});
  const MarkedText text = to_text(heap, subject);
  heap.budget.text(2 * text.size());
  return kChange(text).bytes() == text.bytes() && kOther(text).bytes() != text.bytes();
}

bool same_as(Heap& heap, Value subject, const Arguments& arguments) {
  const Value other = Bound("sameas", arguments, {"other"}).required(0);
  if (subject.kind() != other.kind()) return false;
  if (subject.is_list()) return &subject.list() == &other.list();
  if (subject.is_dict()) return &subject.dict() == &other.dict();
  return equal(heap, subject, other);
}

constexpr Test kTests[] = {
    {"!=", compares<Comparison::kNotEqual>},
    {"<", compares<Comparison::kLess>},
    {"<=", compares<Comparison::kLessEqual>},
    {"==", compares<Comparison::kEqual>},
    {">", compares<Comparison::kGreater>},
    {">=", compares<Comparison::kGreaterEqual>},
    {"boolean", plain<[](Value v) { return v.is(Kind::kBoolean); }>},
    {"callable", plain<[](Value v) { return v.is(Kind::kObject); }>},
    {"defined", plain<[](Value v) { return !v.is_undefined(); }>},
    {"divisibleby", divisibleby},
    {"eq", compares<Comparison::kEqual>},
    {"equalto", compares<Comparison::kEqual>},
    {"even", has_parity<true>},
    {"false", plain<is_false>},
    {"float", plain<[](Value v) { return v.is(Kind::kFloat); }>},
    {"ge", compares<Comparison::kGreaterEqual>},
    {"greaterthan", compares<Comparison::kGreater>},
    {"gt", compares<Comparison::kGreater>},
    {"in", compares<Comparison::kIn>},
    {"integer", plain<[](Value v) { return v.is(Kind::kInteger); }>},
    {"iterable", plain<is_iterable>},
    {"le", compares<Comparison::kLessEqual>},
    {"lessthan", compares<Comparison::kLess>},
    {"lower", has_case<to_lower, to_upper>},
    {"lt", compares<Comparison::kLess>},
    {"mapping", plain<[](Value v) { return v.is_dict(); }>},
    {"ne", compares<Comparison::kNotEqual>},
    {"none", plain<[](Value v) { return v.is_none(); }>},
    {"number", plain<[](Value v) { return v.is_number(); }>},
    {"odd", has_parity<false>},
    {"sameas", same_as},
    {"sequence", plain<is_sequence>},
    {"string", plain<[](Value v) { return v.is_string(); }>},
    {"true", plain<is_true>},
    {"undefined", plain<[](Value v) { return v.is_undefined(); }>},
    {"upper", has_case<to_upper, to_lower>},
};

}  // namespace

std::span<const Test> value_tests() { return kTests; }

const Test* find_value_test(std::string_view name) {
  const auto* found = std::find_if(std::begin(kTests), std::end(kTests),
                                   [&](const Test& test) { return test.name == name; });
  return found == std::end(kTests) ? nullptr : found;
}

}  // namespace inlay::chat
