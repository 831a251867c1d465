// One JSON object as one row of a table, parsed without building a document: what JSONL and JSON
// arrays share.
#pragma once

#include <cstddef>
#include <string_view>

#include "data/table_builder.h"

namespace inlay {

// `row` must hold exactly one object, blanks aside; `line` is where it begins in the source.
void parse_json_row(TableBuilder& builder, std::string_view row, std::size_t line);

}  // namespace inlay
