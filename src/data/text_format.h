// How the rows of a text file are written.
#pragma once

#include <string>
#include <string_view>

namespace inlay {

enum class TextFormat { kCsv, kTsv, kJsonLines, kJsonArray };

// By extension (.csv .tsv .jsonl .ndjson .json), else by content: '{' begins JSON Lines, '[' a JSON
// array, anything else is CSV. A .json file may hold either an array or one object per line.
TextFormat text_format(std::string_view text, const std::string& path);

}  // namespace inlay
