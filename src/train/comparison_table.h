// A comparison of methods as people read it, drawn from comparison_json()'s document.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace inlay {

// For a terminal, failures below the table.
std::string comparison_text(const Json& comparison);
// As a Markdown table, failures below it as a list.
std::string comparison_markdown(const Json& comparison);

// A Markdown file that holds the table between two lines,
//   <!-- table: compare -->
//   <!-- end of table: compare -->
// and everything else as it was; a missing file becomes the table alone.
// kUsage when a file lacks the lines; `check_markdown_place` says so before any work is done.
void check_markdown_place(const std::filesystem::path& file);
void write_markdown(const std::filesystem::path& file, const std::string& table);

}  // namespace inlay
