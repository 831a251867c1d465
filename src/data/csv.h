// CSV and TSV by RFC 4180: quoted fields may hold delimiters, line ends and doubled quotes; lines
// end in LF or CRLF. The first row names the columns (surrounding blanks removed, a nameless column
// is called "column N"). Blank lines are skipped. A quote in the middle of an unquoted field is an
// ordinary character.
//
//   Table table = parse_csv(checked_text(bytes, "reviews.csv"), "reviews.csv");
#pragma once

#include <string_view>

#include "data/table.h"

namespace inlay {

// REQUIRES: `text` comes from checked_text(). With no delimiter given it is whichever of tab , ;
// occurs most often in the header outside quotes.
Table parse_csv(std::string_view text, std::string_view source, const TableLimits& limits = {},
                char delimiter = '\0');

}  // namespace inlay
