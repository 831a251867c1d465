// Plain text, one example per line: what predict reads from standard input and .txt files. Every
// line must hold a text, so that lines and results stay in step.
//
//   Dataset data = load_lines("reviews.txt");   // "-" is standard input; lines end in LF or CR LF
#pragma once

#include <cstddef>
#include <string>

#include "data/dataset.h"

namespace inlay {

struct LineLimits {
  std::size_t file_bytes = std::size_t{1} << 30;
  std::size_t line_bytes = std::size_t{1} << 20;
};

// An unlabelled data set. kInput with file and line: an empty file, a line without a text or beyond
// the limit, bytes that are not UTF-8 text.
Dataset load_lines(const std::string& path, const LineLimits& limits = {});

}  // namespace inlay
