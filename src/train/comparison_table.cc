#include "train/comparison_table.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/text_table.h"
#include "base/units.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBegin = "<!-- table: compare -->";
constexpr const char* kEnd = "<!-- end of table: compare -->";
constexpr const char* kNothing = "–";

// "+0.012 (+0.003 to +0.021)"
std::string difference_cell(const Json& method) {
  if (!method.contains("difference") || method.at("difference").is_null()) return kNothing;
  const Json& difference = method.at("difference");
  std::string text = fmt::format("{:+.4f}", difference.at("mean").get<double>());
  if (!difference.contains("interval")) return text;
  return text + fmt::format(" ({:+.4f} to {:+.4f})", difference.at("interval").at(0).get<double>(),
                            difference.at("interval").at(1).get<double>());
}

// "lora", or "lora (2 of 3 seeds)"
std::string name_cell(const Json& method) {
  std::size_t finished = method.at("runs").size(), failed = method.at("errors").size();
  auto name = method.at("method").get<std::string>();
  if (finished == 0 || failed == 0) return name;
  return fmt::format("{} ({} of {} seeds)", name, finished, finished + failed);
}

std::vector<std::string> header_of(const Json& comparison) {
  std::string metric = comparison.at("metric").get<std::string>();
  std::string baseline = comparison.at("baseline").get<std::string>();
  return {"method",
          metric.empty() ? "figure" : metric,
          "sd",
          fmt::format("to {} (95 %)", baseline),
          "parameters",
          "file size",
          "time per epoch",
          "peak memory"};
}

std::vector<std::string> row_of(const Json& method) {
  if (!method.contains("mean")) {
    std::vector<std::string> row(8, kNothing);
    row[0] = name_cell(method);
    row[1] = "failed";
    return row;
  }
  const Json& sd = method.at("sd");
  return {name_cell(method),
          fmt::format("{:.4f}", method.at("mean").get<double>()),
          sd.is_null() ? kNothing : fmt::format("{:.4f}", sd.get<double>()),
          difference_cell(method),
          format_count(method.at("parameters").get<int64_t>()),
          format_bytes(method.at("file_bytes").get<uint64_t>()),
          format_seconds(method.at("epoch_seconds").get<double>()),
          format_bytes(method.at("peak_rss_bytes").get<uint64_t>())};
}

std::vector<std::string> failures_of(const Json& comparison) {
  std::vector<std::string> lines;
  for (const Json& method : comparison.at("methods")) {
    for (const Json& error : method.at("errors")) {
      lines.push_back(fmt::format("{}, seed {}: {}", method.at("method").get<std::string>(),
                                  error.at("seed").get<int64_t>(),
                                  error.at("error").get<std::string>()));
    }
  }
  return lines;
}

// A cell may not end its cell or its line.
std::string escaped(const std::string& cell) {
  std::string text;
  for (char c : cell) {
    if (c == '|') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + escaped(cell) + " |";
  return line + "\n";
}

struct Place {
  std::size_t begin = std::string::npos;  // after the first line
  std::size_t end = std::string::npos;    // before the second
};

Place place_in(const std::string& text) {
  std::size_t first = text.find(kBegin);
  if (first == std::string::npos) return {};
  std::size_t begin = first + std::string_view(kBegin).size();
  return {begin, text.find(kEnd, begin)};
}

}  // namespace

std::string comparison_text(const Json& comparison) {
  TextTable table(header_of(comparison));
  for (const Json& method : comparison.at("methods")) table.add_row(row_of(method));
  std::string text = table.text();
  for (const std::string& line : failures_of(comparison)) text += "failed: " + line + "\n";
  return text;
}

std::string comparison_markdown(const Json& comparison) {
  std::vector<std::string> header = header_of(comparison);
  std::string text = markdown_row(header) + "|---|";
  for (std::size_t column = 1; column < header.size(); ++column) text += "---:|";
  text += "\n";
  for (const Json& method : comparison.at("methods")) text += markdown_row(row_of(method));
  std::vector<std::string> failures = failures_of(comparison);
  if (!failures.empty()) text += "\nFailed:\n\n";
  for (const std::string& line : failures) text += "- " + escaped(line) + "\n";
  return text;
}

void check_markdown_place(const fs::path& file) {
  if (!fs::exists(file)) return;
  Place place = place_in(read_file(file));
  require(place.end != std::string::npos, ErrorKind::kUsage,
          "{}: no place for the table: put the lines \"{}\" and \"{}\" where it belongs",
          file.string(), kBegin, kEnd);
}

void write_markdown(const fs::path& file, const std::string& table) {
  check_markdown_place(file);
  std::string text = fs::exists(file) ? read_file(file) : fmt::format("{}\n{}\n", kBegin, kEnd);
  Place place = place_in(text);
  text.replace(place.begin, place.end - place.begin, "\n\n" + table + "\n");
  write_file_atomically(file, text);
}

}  // namespace inlay
