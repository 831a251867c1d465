// A plain text table for a terminal: columns as wide as their widest cell, numbers to the right.
//
//   TextTable table({"class", "F1"});
//   table.add_row({"negative", "0.93"});
//   fmt::print("{}", table.text());
//
// class       F1
// --------  ----
// negative  0.93
#pragma once

#include <string>
#include <vector>

namespace inlay {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}

  // REQUIRES: as many cells as the header has.
  void add_row(std::vector<std::string> cells);

  // A column whose cells all begin with a digit, a sign or a point, or are "–" or empty, is set to
  // the right.
  std::string text() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace inlay
