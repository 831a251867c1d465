// Collects rows into a Table and enforces its limits; what the CSV and JSON readers share. Columns
// may be declared before the first row (CSV) or appear on the way (JSON): rows that lack one hold a
// missing cell there.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "data/table.h"

namespace inlay {

class TableBuilder {
 public:
  TableBuilder(std::string_view source, const TableLimits& limits);

  // The column's index, adding it when it is new. `line` is for the message when there are too
  // many.
  std::size_t column(const std::string& name, std::size_t line);
  bool has_column(const std::string& name) const { return index_.count(name) != 0; }

  void begin_row(std::size_t line);
  // The cell of the row begun last, still missing when nothing was stored in it.
  Cell& cell(std::size_t column) { return table_.cells[column].back(); }
  // One more item in some list.
  void count_item(std::size_t line) { count_cells(1, line); }

  const TableLimits& limits() const { return limits_; }
  std::string_view source() const { return table_.source; }
  // Fails when there is no row.
  Table finish();

 private:
  void count_cells(std::size_t count, std::size_t line);

  TableLimits limits_;
  Table table_;
  std::map<std::string, std::size_t> index_;
  std::size_t cell_count_ = 0;
};

}  // namespace inlay
