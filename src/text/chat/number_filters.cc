// Filters on numbers.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "text/chat/arguments.h"
#include "text/chat/collections.h"
#include "text/chat/compare.h"
#include "text/chat/filter_functions.h"
#include "text/chat/operators.h"
#include "text/chat/whitespace.h"

namespace inlay::chat::filter {
namespace {

std::string_view read(Heap& heap, Value text) {
  heap.budget.text(text.text().size());
  return text.bytes();
}

// A number's text without whitespace around it and without the plus that from_chars refuses.
std::string_view number_part(std::string_view text) {
  text = text.substr(leading_space_end(text));
  text = text.substr(0, trailing_space_begin(text));
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

std::optional<int64_t> parse_integer(std::string_view text, int base) {
  text = number_part(text);
  int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (end.ec == std::errc::result_out_of_range) refuse("the integer {} is too large", text);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  text = number_part(text);
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> whole_part(double value) {
  if (!(std::abs(value) < 9.2e18)) return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<int64_t> integer_of(Heap& heap, Value subject, int base) {
  if (subject.is_integral()) return subject.integer();
  if (subject.is(Kind::kFloat)) return whole_part(subject.number());
  if (!subject.is_string()) return std::nullopt;
  const std::string_view text = read(heap, subject);
  if (const auto value = parse_integer(text, base)) return value;
  const std::optional<double> value = parse_float(text);
  return value ? whole_part(*value) : std::nullopt;
}

// Half to even on the exact decimal expansion, as Python rounds.
double rounded(double value, int precision) {
  if (!std::isfinite(value)) return value;
  if (precision < 0) {
    const double scale = std::pow(10.0, -precision);
    return std::nearbyint(value / scale) * scale;
  }
  return std::strtod(fmt::format("{:.{}f}", value, precision).c_str(), nullptr);
}

Value rounded_integer(int64_t value, int precision) {
  if (precision >= 0) return Value(value);
  return Value(static_cast<int64_t>(rounded(static_cast<double>(value), precision)));
}

void require_number(const char* filter, Value subject) {
  if (subject.is_number()) return;
  if (subject.is_undefined()) refuse("{}, so {} fails", subject.undefined_reason(), filter);
  refuse("{} needs a number, found a {}", filter, subject.type_name());
}

}  // namespace

Value absolute(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound none("abs", arguments, {});
  require_number("abs", subject);
  const bool negative = subject.is_integral() ? subject.integer() < 0 : subject.number() < 0;
  if (negative) return negated(subject);
  return subject.is_integral() ? Value(subject.integer())
                               : apply(heap, BinaryOperator::kAdd, subject, Value(0.0));
}

Value to_int(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("int", arguments, {"default", "base"});
  if (subject.is_undefined()) refuse("{}, so int fails", subject.undefined_reason());
  const int64_t base = bound.integer(1, 10);
  if (base < 2 || base > 36) refuse("the base of int is {}; expected 2 to 36", base);
  const std::optional<int64_t> value = integer_of(heap, subject, static_cast<int>(base));
  return value ? Value(*value) : bound.value(0, Value(int64_t{0}));
}

Value to_float(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("float", arguments, {"default"});
  if (subject.is_undefined()) refuse("{}, so float fails", subject.undefined_reason());
  if (subject.is_number()) return Value(subject.number());
  const auto value = subject.is_string() ? parse_float(read(heap, subject)) : std::nullopt;
  return value ? Value(*value) : bound.value(0, Value(0.0));
}

Value round(Heap& /*heap*/, Value subject, const Arguments& arguments) {
  const Bound bound("round", arguments, {"precision", "method"});
  require_number("round", subject);
  const int64_t precision = bound.integer(0, 0);
  if (std::abs(precision) > 300) refuse("round to {} digits; at most 300 are allowed", precision);
  const auto digits = static_cast<int>(precision);
  const std::optional<Value> method = bound.text(1);
  if (!method || method->bytes() == "common") {
    if (subject.is_integral()) return rounded_integer(subject.integer(), digits);
    return Value(rounded(subject.number(), digits));
  }
  const double scale = std::pow(10.0, digits);
  const double scaled = subject.number() * scale;
  if (method->bytes() == "ceil") return Value(std::ceil(scaled) / scale);
  if (method->bytes() == "floor") return Value(std::floor(scaled) / scale);
  refuse("round has no method '{}'; use common, ceil or floor", method->bytes());
}

Value sum(Heap& heap, Value subject, const Arguments& arguments) {
  const Bound bound("sum", arguments, {"attribute", "start"});
  const Value path = bound.value(0, Value::none());
  Value total = bound.value(1, Value(int64_t{0}));
  for (Value item : elements(heap, subject)) {
    if (!path.is_none()) item = item_by_path(heap, item, path);
    total = apply(heap, BinaryOperator::kAdd, total, item);
  }
  return total;
}

}  // namespace inlay::chat::filter
