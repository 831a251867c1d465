// Reading the report's document and writing its figures. Nothing here guesses: a member of another
// type is an Error that names its place; a number that is null, missing or not finite is NaN and is
// shown as a dash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "runs/report/html.h"

namespace inlay {

double number_in(const Json& object, const char* key);
int64_t integer_in(const Json& object, const char* key);   // 0 when missing
std::string text_in(const Json& object, const char* key);  // "" when missing
bool truth_in(const Json& object, const char* key);        // false when missing

// The array at `key`; an empty one when it is missing.
const Json& list_in(const Json& object, const char* key);

std::vector<double> numbers_of(const Json& list);
std::vector<std::string> texts_of(const Json& list);

enum class ValueFormat { kNumber, kPercent, kCount, kBytes, kSeconds };
ValueFormat format_named(const std::string& name);  // "" is kNumber

std::string format_value(double value, ValueFormat format);
// "88.9–93.4 %", or "" when an end is missing.
std::string format_interval(double low, double high, ValueFormat format);

// A figure with its name, its 95 % interval and how to write it.
struct Quantity {
  std::string label;
  std::string value;     // written out
  std::string interval;  // "" without one
  std::string note;
  double number = 0;  // NaN when the value is text
  double low = 0;     // NaN without an interval
  double high = 0;
  ValueFormat format = ValueFormat::kNumber;
};

Quantity quantity_of(const Json& json);

// A number cell of a table.
Html number_cell(const std::string& words);
// <tr> of header cells; the first `text_columns` are set to the left.
Html header_row(const std::vector<std::string>& names, std::size_t text_columns);
// A table with a caption for screen readers, in a box that scrolls sideways when the page is
// narrow.
Html table(const std::string& style, const std::string& caption, const Html& head,
           const Html& body);

}  // namespace inlay
