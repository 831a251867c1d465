#include "data/text_lines.h"

#include "base/error.h"
#include "data/encoding.h"
#include "data/table_builder.h"

namespace inlay {

Table parse_text_lines(std::string_view text, std::string_view source, const TableLimits& limits) {
  TableBuilder builder(source, limits);
  std::size_t column = builder.column("text", 1), line = 0;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    std::string_view row = trimmed(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    ++line;
    if (row.empty()) continue;
    require(row.size() <= limits.field_bytes, ErrorKind::kInput,
            "{}: line {}: a line of {} bytes; expected at most {}", source, line, row.size(),
            limits.field_bytes);
    builder.begin_row(line);
    builder.cell(column) = {.kind = CellKind::kText, .text = std::string(row), .items = {}};
  }
  return builder.finish();
}

}  // namespace inlay
