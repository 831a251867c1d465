// The rows of JSON Lines and of JSON arrays, cut out of their file so that each is parsed on its
// own: memory goes with the longest row, and a message can name the line.
//
//   each_json_line(text, [&](const JsonRow& row) { read(row.text, row.line); });
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace inlay {

struct JsonRow {
  std::string_view text;
  std::size_t line = 0;  // where it begins, from 1
};

using JsonRowVisitor = std::function<void(const JsonRow&)>;

// Every line that is not blank.
void each_json_line(std::string_view text, const JsonRowVisitor& visit);

// Every element of the array that the text holds. kInput: the array never ends, or something stands
// behind it. REQUIRES: the first character that is not blank is '['.
void each_json_element(std::string_view text, std::string_view source, const JsonRowVisitor& visit);

}  // namespace inlay
