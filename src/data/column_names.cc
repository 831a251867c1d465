#include "data/column_names.h"

#include <utility>

#include "base/error.h"
#include "data/encoding.h"

namespace inlay {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace

std::string column_like(const Table& table, std::string_view wanted) {
  for (const std::string& column : table.columns) {
    if (equal_ignoring_case(column, wanted)) return column;
  }
  return {};
}

std::string first_of(const Table& table, Names candidates) {
  for (std::string_view candidate : candidates) {
    std::string column = column_like(table, candidate);
    if (!column.empty()) return column;
  }
  return {};
}

ColumnChoice::One guessed(std::string name) {
  if (name.empty()) return {};
  return {.name = std::move(name), .origin = "guessed"};
}

ColumnChoice::One guessed_of(const Table& table, Names candidates, const std::string& taken) {
  ColumnChoice::One one;
  for (std::string_view candidate : candidates) {
    std::string column = column_like(table, candidate);
    if (column.empty() || column == taken) continue;
    if (one.name.empty()) {
      one = guessed(column);
    } else {
      one.others.push_back(column);
    }
  }
  return one;
}

ColumnChoice::One stated(const Table& table, const std::string& named, const std::string& card) {
  const std::string& name = named.empty() ? card : named;
  if (name.empty()) return {};
  table.column(name);
  return {.name = name, .origin = named.empty() ? "dataset.json" : "named"};
}

void refuse_overlap(const Table& table, const ColumnChoice& choice) {
  std::vector<std::string> chosen;
  chosen.reserve(4 + choice.further.size());
  for (const ColumnChoice::One* one :
       {&choice.text, &choice.text_pair, &choice.label, &choice.adapter})
    if (!one->name.empty()) chosen.push_back(one->name);
  for (const ColumnChoice::One& one : choice.further) chosen.push_back(one.name);
  bool overlap = false;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) overlap = overlap || chosen[i] == chosen[j];
  require(!overlap, ErrorKind::kInput,
          "{}: one column was chosen twice ({}); expected different ones of {}", table.source,
          choice.describe(), listed(table.columns));
}

}  // namespace inlay
