// JSON Lines (one object per line) and JSON arrays of objects. Rows are parsed as they come,
// without a document in memory: keys become columns; strings, numbers, booleans and flat lists
// become cells; deeper values are kept only as "nested". NaN and Infinity are not JSON and are
// refused.
//
//   Table table = parse_jsonl(R"({"tokens": ["New", "York"], "tags": [1, 2]})", "ner.jsonl");
#pragma once

#include <string_view>

#include "data/table.h"

namespace inlay {

// REQUIRES, both: `text` comes from checked_text().
Table parse_jsonl(std::string_view text, std::string_view source, const TableLimits& limits = {});

// The rows' lines are where each object begins.
Table parse_json_array(std::string_view text, std::string_view source,
                       const TableLimits& limits = {});

}  // namespace inlay
