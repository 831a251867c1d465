// Plain text as a table: one column, "text", and a row for each line that is not blank. What a
// corpus without labels usually looks like.
#pragma once

#include <string_view>

#include "data/table.h"

namespace inlay {

// REQUIRES: `text` comes from checked_text().
Table parse_text_lines(std::string_view text, std::string_view source,
                       const TableLimits& limits = {});

}  // namespace inlay
