// What an example wants from a cell, or an Error that names file, line and column, what was found
// and what was expected.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "data/table.h"

namespace inlay {

// One cell of a table and where it stands.
struct CellPlace {
  const Table& table;
  std::size_t column;
  std::size_t row;

  const Cell& cell() const { return table.cells[column][row]; }
  // reviews.csv: line 7: column "label"
  std::string where() const;
};

// Fails with "where: found what the cell holds; expected …".
[[noreturn]] void wrong_value(const CellPlace& place, std::string_view expected);

// A string that is not blank.
std::string text_of(const CellPlace& place);
// A list of at least one word, none blank.
std::vector<std::string> words_of(const CellPlace& place);
// A string, number or boolean, without blanks at its ends; not empty.
std::string label_of(const CellPlace& place);
// The same, or empty where the cell is.
std::string name_or_empty(const CellPlace& place);
// A list of strings or numbers, or a single label, which counts as a list of one.
std::vector<std::string> label_set_of(const CellPlace& place);
// A list of strings or numbers.
std::vector<std::string> tags_of(const CellPlace& place);
// A finite number, as text or as a number, or a list of them that is not empty.
std::vector<float> values_of(const CellPlace& place);

}  // namespace inlay
