#include "data/corpus.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>

#include "base/error.h"
#include "data/dataset.h"
#include "data/encoding.h"
#include "data/input.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;

using Take = std::function<void(std::string_view)>;

void take_lines(const std::string& path, const Take& take) {
  const std::string bytes = read_input(path, kMaxFileBytes);
  std::string_view text = checked_text(bytes, input_name(path));
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    take(text.substr(0, length));
    text.remove_prefix(length);
  }
}

void take_rows(const std::string& path, const ColumnNames& columns, const Take& take) {
  const Dataset data =
      load_dataset({.from = {.paths = {path}}, .columns = columns, .kind = TaskKind::kUnlabelled});
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    if (data.part(i) != Part::kWhole && data.part(i) != Part::kTrain) continue;
    const Example& example = data.examples[i];
    require(example.words.empty(), ErrorKind::kInput,
            "{}: found a list of words; expected a text: its words cannot be joined as they were",
            data.place(i));
    take(example.text);
    if (!example.text_pair.empty()) take(example.text_pair);
  }
}

std::vector<std::string> text_files(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".txt")
      files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

void for_each_text(const std::vector<std::string>& paths, const ColumnNames& columns,
                   const Take& take) {
  for (const std::string& path : paths) {
    const std::vector<std::string> files =
        fs::is_directory(path) ? text_files(path) : std::vector<std::string>();
    for (const std::string& file : files) take_lines(file, take);
    if (!files.empty()) continue;
    if (path == "-" || path.ends_with(".txt")) {
      take_lines(path, take);
    } else {
      take_rows(path, columns, take);
    }
  }
}

}  // namespace inlay
