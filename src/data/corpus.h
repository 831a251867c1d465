// Unlabelled text to learn from as a stream of texts, however it is kept: .txt files line by line,
// rows of tables as they come.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/sources.h"

namespace inlay {

// Calls `take` with each text, file after file. A .txt file gives its lines with their ends, so
// that joined they are the file; "-" is standard input, read as such a file. A folder stands for
// its .txt files in name order or, where it has none, for its tables; of a table's parts only the
// train part is read. kInput naming the file: missing, empty, not UTF-8, over 1 GiB, a row without
// a text.
void for_each_text(const std::vector<std::string>& paths, const ColumnNames& columns,
                   const std::function<void(std::string_view)>& take);

}  // namespace inlay
