#include "data/jsonl.h"

#include "data/json_row.h"
#include "data/json_rows.h"
#include "data/table_builder.h"

namespace inlay {

Table parse_jsonl(std::string_view text, std::string_view source, const TableLimits& limits) {
  TableBuilder builder(source, limits);
  each_json_line(text, [&](const JsonRow& row) { parse_json_row(builder, row.text, row.line); });
  return builder.finish();
}

Table parse_json_array(std::string_view text, std::string_view source, const TableLimits& limits) {
  TableBuilder builder(source, limits);
  each_json_element(text, source,
                    [&](const JsonRow& row) { parse_json_row(builder, row.text, row.line); });
  return builder.finish();
}

}  // namespace inlay
