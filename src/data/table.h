// Rows of named columns, read from CSV, TSV, JSONL or a JSON array, with the line each row began on
// so that every later message can name it. Nothing is interpreted here: a cell keeps what the file
// said and which JSON type it had.
//
//   Table table = read_table("reviews.csv");            // "-" is standard input
//   std::size_t text = table.column("review");          // an error that lists the columns when
//   there is none for (std::size_t row = 0; row < table.rows(); ++row)
//   use(table.cells[text][row].text, table.lines[row]);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inlay {

// CSV and TSV cells are always kText. A cell of a JSON row whose key is absent or null is kMissing.
enum class CellKind : std::uint8_t {
  kMissing,
  kText,
  kNumber,
  kBoolean,
  kTextList,    // a list of strings, also the empty list
  kNumberList,  // a list of numbers
  kNested,      // an object, a list of lists or a mixed list: allowed as long as nobody asks for it
};

// "a string", "a list of numbers" … for messages.
std::string_view describe(CellKind kind);

struct Cell {
  CellKind kind = CellKind::kMissing;
  std::string text;                // kText; kNumber and kBoolean as written in the file; an object
                                   // as JSON, if TableLimits say so
  std::vector<std::string> items;  // kTextList; kNumberList as written in the file
};

struct Table {
  std::string source;  // the path as given, or "standard input"
  std::string sha256;  // of the file's bytes, hexadecimal
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> cells;  // [column][row]
  std::vector<std::size_t> lines;        // per row, from 1

  std::size_t rows() const { return lines.size(); }
  // "line 7", or "line 1, row 7" where several rows stand on one line, as in a JSON array.
  std::string place(std::size_t row) const;
  std::optional<std::size_t> find(std::string_view name) const;
  // Fails with the columns that exist and the nearest name.
  std::size_t column(std::string_view name) const;
};

// Checked before memory is taken. The product of rows and columns is what bounds a table's memory
// (64 bytes a cell).
struct TableLimits {
  std::size_t file_bytes = std::size_t{1} << 30;
  std::size_t row_bytes = std::size_t{64} << 20;    // one JSON row
  std::size_t field_bytes = std::size_t{16} << 20;  // one CSV field or JSON string
  std::size_t columns = 1024;
  std::size_t cells = 20'000'000;  // items of lists count too
  bool objects = false;            // whether the objects of JSON rows are kept at all
};

// Format by extension (.csv .tsv .jsonl .ndjson .json), else by content: '{' begins JSONL, '[' a
// JSON array, anything else is CSV. A .json file may hold either an array or one object per line.
Table read_table(const std::string& path, const TableLimits& limits = {});
// A file of plain text, whatever its extension: see text_lines.h.
Table read_text_lines(const std::string& path, const TableLimits& limits = {});

}  // namespace inlay
