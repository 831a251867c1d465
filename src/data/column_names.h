// Finding columns by the names that people usually give them, case ignored.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "data/columns.h"

namespace inlay {

using Names = std::span<const std::string_view>;

// The column of this name as the table writes it; empty where there is none.
std::string column_like(const Table& table, std::string_view wanted);

// The first of the candidates that is a column; empty where none is.
std::string first_of(const Table& table, Names candidates);

ColumnChoice::One guessed(std::string name);

// The first of the candidates, and the further ones that are columns of this table.
ColumnChoice::One guessed_of(const Table& table, Names candidates, const std::string& taken = {});

// What somebody said, checked; nothing when nobody said anything.
ColumnChoice::One stated(const Table& table, const std::string& named, const std::string& card);

// Fails where one column was chosen twice.
void refuse_overlap(const Table& table, const ColumnChoice& choice);

}  // namespace inlay
