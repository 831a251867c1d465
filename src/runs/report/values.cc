#include "runs/report/values.h"

#include <fmt/core.h>

#include <cmath>

#include "base/error.h"
#include "base/units.h"

namespace inlay {

namespace {

constexpr std::string_view kWhere = "the report document";

double number_of(const Json& value, const char* what) {
  if (value.is_null()) return NAN;
  require(value.is_number(), ErrorKind::kInput, "{}: {} is {}; expected a number", kWhere, what,
          value.type_name());
  return value.get<double>();
}

// The member at `key`, or null when it is missing or null.
const Json* member(const Json& object, const char* key, bool (Json::*right_type)() const noexcept,
                   const char* expected) {
  require(object.is_object(), ErrorKind::kInput, "{}: found {}; expected an object", kWhere,
          object.type_name());
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return nullptr;
  require(((*found).*right_type)(), ErrorKind::kInput, "{}: {} is {}; expected {}", kWhere, key,
          found->type_name(), expected);
  return &*found;
}

}  // namespace

double number_in(const Json& object, const char* key) {
  return object.contains(key) ? number_of(object.at(key), key) : NAN;
}

int64_t integer_in(const Json& object, const char* key) {
  const Json* value = member(object, key, &Json::is_number_integer, "an integer");
  return value == nullptr ? 0 : value->get<int64_t>();
}

std::string text_in(const Json& object, const char* key) {
  const Json* value = member(object, key, &Json::is_string, "text");
  return value == nullptr ? "" : value->get<std::string>();
}

bool truth_in(const Json& object, const char* key) {
  const Json* value = member(object, key, &Json::is_boolean, "true or false");
  return value != nullptr && value->get<bool>();
}

const Json& list_in(const Json& object, const char* key) {
  static const Json empty = Json::array();
  if (!object.contains(key)) return empty;
  const Json& list = object.at(key);
  require(list.is_array(), ErrorKind::kInput, "{}: {} is {}; expected an array", kWhere, key,
          list.type_name());
  return list;
}

std::vector<double> numbers_of(const Json& list) {
  std::vector<double> numbers;
  for (const Json& value : list) numbers.push_back(number_of(value, "an item"));
  return numbers;
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& value : list) {
    require(value.is_string(), ErrorKind::kInput, "{}: an item is {}; expected text", kWhere,
            value.type_name());
    texts.push_back(value.get<std::string>());
  }
  return texts;
}

ValueFormat format_named(const std::string& name) {
  if (name.empty() || name == "number") return ValueFormat::kNumber;
  if (name == "percent") return ValueFormat::kPercent;
  if (name == "count") return ValueFormat::kCount;
  if (name == "bytes") return ValueFormat::kBytes;
  if (name == "seconds") return ValueFormat::kSeconds;
  fail(ErrorKind::kInput, "{}: format is \"{}\"; expected number, percent, count, bytes or seconds",
       kWhere, name);
}

std::string format_value(double value, ValueFormat format) {
  if (!std::isfinite(value)) return "–";
  const bool fits = std::abs(value) < 9e18;
  switch (format) {
    case ValueFormat::kPercent:
      return format_percent(value);
    case ValueFormat::kSeconds:
      return format_seconds(value);
    case ValueFormat::kCount:
      if (fits) return format_count(std::llround(value));
      break;
    case ValueFormat::kBytes:
      if (fits && value >= 0) return format_bytes(static_cast<uint64_t>(value));
      break;
    case ValueFormat::kNumber:
      if (std::abs(value) < 10) return fmt::format("{:.3f}", value);
      if (std::abs(value) < 1000) return fmt::format("{:.1f}", value);
      if (fits) return format_count(std::llround(value));
      break;
  }
  return fmt::format("{:.3g}", value);
}

std::string format_interval(double low, double high, ValueFormat format) {
  if (!std::isfinite(low) || !std::isfinite(high)) return "";
  std::string first = format_value(low, format);
  const std::string last = format_value(high, format);
  // One unit for both ends.
  const std::string percent = " %";
  if (format == ValueFormat::kPercent) first.erase(first.size() - percent.size());
  return first + "–" + last;
}

Quantity quantity_of(const Json& json) {
  Quantity result;
  result.label = text_in(json, "label");
  result.note = text_in(json, "note");
  result.format = format_named(text_in(json, "format"));
  result.low = number_in(json, "low");
  result.high = number_in(json, "high");
  result.interval = format_interval(result.low, result.high, result.format);
  const bool words = json.contains("value") && json.at("value").is_string();
  result.number = words ? NAN : number_in(json, "value");
  result.value = words ? text_in(json, "value") : format_value(result.number, result.format);
  const std::string unit = text_in(json, "unit");
  if (!unit.empty()) result.value += " " + unit;
  return result;
}

Html number_cell(const std::string& words) {
  return element("td", {{"class", "number"}}, text(words));
}

Html header_row(const std::vector<std::string>& names, std::size_t text_columns) {
  Html cells;
  for (std::size_t i = 0; i < names.size(); ++i) {
    cells += element("th", {{"scope", "col"}, {"class", i < text_columns ? "" : "number"}},
                     text(names[i]));
  }
  return element("tr", cells);
}

Html table(const std::string& style, const std::string& caption, const Html& head,
           const Html& body) {
  const Html inside =
      element("caption", text(caption)) + element("thead", head) + element("tbody", body);
  return element(
      "div", {{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", caption}},
      element("table", {{"class", style}}, inside));
}

}  // namespace inlay
