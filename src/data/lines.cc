#include "data/lines.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "data/encoding.h"
#include "data/input.h"

namespace inlay {

Dataset load_lines(const std::string& path, const LineLimits& limits) {
  std::string bytes = read_input(path, limits.file_bytes), source = input_name(path);
  std::string_view rest = checked_text(bytes, source);
  Dataset data;
  data.kind = TaskKind::kUnlabelled;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::size_t number = data.examples.size() + 1;
    require(!trimmed(line).empty(), ErrorKind::kInput,
            "{}: line {}: the line is empty; every line must hold a text", source, number);
    require(line.size() <= limits.line_bytes, ErrorKind::kInput,
            "{}: line {}: {} bytes; at most {} are read", source, number, line.size(),
            limits.line_bytes);
    data.examples.push_back({.text = std::string(line), .line = number, .row = number});
  }
  data.files.push_back(
      {.path = source, .sha256 = hex(sha256(bytes)), .rows = data.examples.size()});
  return data;
}

}  // namespace inlay
