#include "base/text_table.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace inlay {

namespace {

// Characters of UTF-8 text: bytes that do not continue one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool looks_like_number(std::string_view cell) {
  return cell.empty() || cell == "–" || cell.find_first_of("0123456789+-.") == 0;
}

std::string padded(const std::string& cell, std::size_t width, bool right) {
  const std::string blanks(width - width_of(cell), ' ');
  return right ? blanks + cell : cell + blanks;
}

}  // namespace

void TextTable::add_row(std::vector<std::string> cells) {
  ensure(cells.size() == header_.size(), "a table row has {} cells; the header has {}",
         cells.size(), header_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  std::vector<std::string> lines(rows_.size() + 2);
  for (std::size_t column = 0; column < header_.size(); ++column) {
    std::size_t width = width_of(header_[column]);
    bool right = !rows_.empty();
    for (const auto& row : rows_) {
      width = std::max(width, width_of(row[column]));
      right = right && looks_like_number(row[column]);
    }
    const char* const gap = column == 0 ? "" : "  ";
    lines[0] += gap + padded(header_[column], width, right);
    lines[1] += gap + std::string(width, '-');
    for (std::size_t i = 0; i < rows_.size(); ++i)
      lines[i + 2] += gap + padded(rows_[i][column], width, right);
  }
  std::string text;
  for (std::string& line : lines) text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
  return text;
}

}  // namespace inlay
