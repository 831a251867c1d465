#include "data/table_builder.h"

#include <utility>

#include "base/error.h"

namespace inlay {

TableBuilder::TableBuilder(std::string_view source, const TableLimits& limits) : limits_(limits) {
  table_.source = source;
}

std::size_t TableBuilder::column(const std::string& name, std::size_t line) {
  auto found = index_.find(name);
  if (found != index_.end()) return found->second;
  std::size_t next = table_.columns.size();
  require(next < limits_.columns, ErrorKind::kInput,
          "{}: line {}: more than {} columns; expected at most that many", table_.source, line,
          limits_.columns);
  count_cells(table_.rows(), line);
  table_.columns.push_back(name);
  table_.cells.emplace_back(table_.rows());
  index_.emplace(name, next);
  return next;
}

void TableBuilder::begin_row(std::size_t line) {
  count_cells(table_.columns.size(), line);
  table_.lines.push_back(line);
  for (auto& column : table_.cells) column.emplace_back();
}

Table TableBuilder::finish() {
  require(table_.rows() > 0, ErrorKind::kInput,
          "{}: no rows of data; expected at least one (after the header, in CSV)", table_.source);
  return std::move(table_);
}

void TableBuilder::count_cells(std::size_t count, std::size_t line) {
  cell_count_ += count;
  require(cell_count_ <= limits_.cells, ErrorKind::kInput,
          "{}: line {}: more than {} values (rows times columns, and list items); split the file",
          table_.source, line, limits_.cells);
}

}  // namespace inlay
