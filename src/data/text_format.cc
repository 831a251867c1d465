#include "data/text_format.h"

#include <filesystem>

#include "data/encoding.h"

namespace inlay {

TextFormat text_format(std::string_view text, const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".csv") return TextFormat::kCsv;
  if (extension == ".tsv") return TextFormat::kTsv;
  if (extension == ".jsonl" || extension == ".ndjson") return TextFormat::kJsonLines;
  std::string_view body = trimmed(text);
  if (body.starts_with('[')) return TextFormat::kJsonArray;
  bool lines = extension == ".json" || body.starts_with('{');
  return lines ? TextFormat::kJsonLines : TextFormat::kCsv;
}

}  // namespace inlay
