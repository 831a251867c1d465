// Batches of sentences of mixed lengths, for benchmarks: a file of a batch a line, its token counts
// with spaces between them; empty lines and lines that begin with # are none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.h"

namespace inlay {

inline std::vector<std::vector<int64_t>> read_sentence_lengths(const std::filesystem::path& path) {
  std::vector<std::vector<int64_t>> batches;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream numbers(line);
    std::vector<int64_t>& counts = batches.emplace_back();
    for (int64_t count = 0; numbers >> count;) counts.push_back(count);
  }
  return batches;
}

}  // namespace inlay
