#include "data/table.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "data/csv.h"
#include "data/encoding.h"
#include "data/input.h"
#include "data/jsonl.h"
#include "data/text_format.h"
#include "data/text_lines.h"

namespace inlay {
namespace {

Table parse_table(std::string_view bytes, const std::string& path, std::string_view source,
                  const TableLimits& limits) {
  std::string_view text = checked_text(bytes, source);
  switch (text_format(text, path)) {
    case TextFormat::kCsv:
      return parse_csv(text, source, limits);
    case TextFormat::kTsv:
      return parse_csv(text, source, limits, '\t');
    case TextFormat::kJsonLines:
      return parse_jsonl(text, source, limits);
    case TextFormat::kJsonArray:
      return parse_json_array(text, source, limits);
  }
  fail(ErrorKind::kInternal, "{}: a format without a reader", source);
}

}  // namespace

std::string_view describe(CellKind kind) {
  switch (kind) {
    case CellKind::kMissing:
      return "nothing";
    case CellKind::kText:
      return "a string";
    case CellKind::kNumber:
      return "a number";
    case CellKind::kBoolean:
      return "true or false";
    case CellKind::kTextList:
      return "a list of strings";
    case CellKind::kNumberList:
      return "a list of numbers";
    case CellKind::kNested:
      return "a nested or mixed value";
  }
  return "an unknown value";
}

std::string Table::place(std::size_t row) const {
  bool shared = (row > 0 && lines[row - 1] == lines[row]) ||
                (row + 1 < rows() && lines[row + 1] == lines[row]);
  if (shared) return fmt::format("line {}, row {}", lines[row], row + 1);
  return fmt::format("line {}", lines[row]);
}

std::optional<std::size_t> Table::find(std::string_view name) const {
  auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

std::size_t Table::column(std::string_view name) const {
  if (auto found = find(name)) return *found;
  require(!columns.empty(), ErrorKind::kInput, "{}: there is no column {}; the file has no columns",
          source, excerpt(name));
  fail(ErrorKind::kInput, "{}: there is no column {}; the columns are {}; did you mean {}?", source,
       excerpt(name), listed(columns), excerpt(nearest_name(name, columns)));
}

Table read_table(const std::string& path, const TableLimits& limits) {
  std::string bytes = read_input(path, limits.file_bytes);
  Table table = parse_table(bytes, path, input_name(path), limits);
  table.sha256 = hex(sha256(bytes));
  return table;
}

Table read_text_lines(const std::string& path, const TableLimits& limits) {
  std::string bytes = read_input(path, limits.file_bytes), source = input_name(path);
  Table table = parse_text_lines(checked_text(bytes, source), source, limits);
  table.sha256 = hex(sha256(bytes));
  return table;
}

}  // namespace inlay
