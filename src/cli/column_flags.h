// The flags that name columns of a table, for the commands that read one.
#pragma once

#include <CLI/CLI.hpp>

#include "data/sources.h"

namespace inlay::cli {

// --text-column and --text-pair-column, and --label-column where there are labels. The names must
// live until the command has run.
enum class TableUse { kTextsOnly, kLabelled };
void add_column_flags(CLI::App& command, ColumnNames& names, TableUse use);

}  // namespace inlay::cli
