#include "data/cell_values.h"

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "data/encoding.h"

namespace inlay {
namespace {

std::string what_is_there(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kText:
      return excerpt(cell.text);
    case CellKind::kNumber:
      return "the number " + cell.text.substr(0, 60);
    case CellKind::kBoolean:
      return cell.text;
    default:
      return std::string(describe(cell.kind));
  }
}

bool is_list(const Cell& cell) {
  return cell.kind == CellKind::kTextList || cell.kind == CellKind::kNumberList;
}

float value_of(const CellPlace& place, std::string_view written) {
  std::string_view text = trimmed(written);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  auto rounded = static_cast<float>(whole ? value : 0.0);
  require(whole && std::isfinite(rounded), ErrorKind::kInput,
          "{}: found {}; expected a finite number", place.where(), excerpt(written));
  return rounded;
}

}  // namespace

std::string CellPlace::where() const {
  return fmt::format("{}: {}: column {}", table.source, table.place(row),
                     excerpt(table.columns[column]));
}

void wrong_value(const CellPlace& place, std::string_view expected) {
  fail(ErrorKind::kInput, "{}: found {}; expected {}", place.where(), what_is_there(place.cell()),
       expected);
}

std::string text_of(const CellPlace& place) {
  const Cell& cell = place.cell();
  if (cell.kind != CellKind::kText) wrong_value(place, "a text (a string)");
  require(!trimmed(cell.text).empty(), ErrorKind::kInput,
          "{}: the text is empty; remove the row or fill it in", place.where());
  return cell.text;
}

std::vector<std::string> words_of(const CellPlace& place) {
  const Cell& cell = place.cell();
  if (cell.kind != CellKind::kTextList || cell.items.empty())
    wrong_value(place, "a list of words (strings)");
  for (std::size_t i = 0; i < cell.items.size(); ++i) {
    require(!trimmed(cell.items[i]).empty(), ErrorKind::kInput, "{}: word {} of the list is empty",
            place.where(), i + 1);
  }
  return cell.items;
}

std::string label_of(const CellPlace& place) {
  const Cell& cell = place.cell();
  bool scalar = cell.kind == CellKind::kText || cell.kind == CellKind::kNumber ||
                cell.kind == CellKind::kBoolean;
  std::string label(trimmed(cell.text));
  if (!scalar || label.empty()) wrong_value(place, "a label (a name or a number)");
  return label;
}

std::string name_or_empty(const CellPlace& place) {
  const Cell& cell = place.cell();
  bool empty = cell.kind == CellKind::kMissing ||
               (cell.kind == CellKind::kText && trimmed(cell.text).empty());
  return empty ? "" : label_of(place);
}

std::vector<std::string> label_set_of(const CellPlace& place) {
  if (is_list(place.cell())) return place.cell().items;
  if (place.cell().kind == CellKind::kNested) wrong_value(place, "a list of labels");
  return {label_of(place)};
}

std::vector<std::string> tags_of(const CellPlace& place) {
  if (!is_list(place.cell())) wrong_value(place, "a list of tags, one per word");
  return place.cell().items;
}

std::vector<float> values_of(const CellPlace& place) {
  const Cell& cell = place.cell();
  if (cell.kind == CellKind::kText || cell.kind == CellKind::kNumber)
    return {value_of(place, cell.text)};
  if (cell.kind != CellKind::kNumberList) wrong_value(place, "a finite number or a list of them");
  std::vector<float> values;
  for (const std::string& item : cell.items) values.push_back(value_of(place, item));
  return values;
}

}  // namespace inlay
