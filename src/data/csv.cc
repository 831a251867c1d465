#include "data/csv.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/encoding.h"
#include "data/table_builder.h"

namespace inlay {
namespace {

char guess_delimiter(std::string_view text) {
  std::size_t tabs = 0, commas = 0, semicolons = 0;
  bool inside = false;
  for (char c : text) {
    if (c == '"') inside = !inside;
    if (inside) continue;
    if (c == '\n') break;
    tabs += c == '\t';
    commas += c == ',';
    semicolons += c == ';';
  }
  if (tabs > 0 && tabs >= std::max(commas, semicolons)) return '\t';
  return semicolons > commas ? ';' : ',';
}

class CsvScanner {
 public:
  CsvScanner(std::string_view text, std::string_view source, char delimiter,
             const TableLimits& limits)
      : text_(text), source_(source), delimiter_(delimiter), limits_(limits) {}

  // The next record that is not a blank line; false at the end.
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    while (at_line_end() && !at_end()) skip_line_end();
    if (at_end()) return false;
    record_line_ = line_;
    while (true) {
      // A field that begins a record beyond the limit stops here, before it is stored.
      require(fields.size() < limits_.columns, ErrorKind::kInput,
              "{}: line {}: more than {} fields in one row", source_, record_line_,
              limits_.columns);
      fields.push_back(peek() == '"' ? quoted_field() : plain_field());
      if (at_line_end()) break;
      ++at_;  // the delimiter
    }
    skip_line_end();
    return true;
  }

  std::size_t record_line() const { return record_line_; }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool at_line_end() const {
    return at_end() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n";
  }

  void skip_line_end() {
    if (peek() == '\r') ++at_;
    if (at_end()) return;
    ++at_;
    ++line_;
  }

  void check_length(std::size_t length) const {
    require(length <= limits_.field_bytes, ErrorKind::kInput,
            "{}: line {}: a field of more than {} bytes; is a quote missing?", source_,
            record_line_, limits_.field_bytes);
  }

  std::string plain_field() {
    std::size_t start = at_;
    while (!at_line_end() && text_[at_] != delimiter_) ++at_;
    check_length(at_ - start);
    return std::string(text_.substr(start, at_ - start));
  }

  std::string quoted_field() {
    std::size_t opened = line_;
    std::string field;
    for (++at_;; ++at_) {
      std::size_t quote = text_.find('"', at_);
      require(quote != text_.npos, ErrorKind::kInput,
              "{}: line {}: a quoted field begins here and never ends; expected a closing \" (a "
              "quote inside is \"\")",
              source_, opened);
      append(field, text_.substr(at_, quote - at_));
      at_ = quote + 1;
      if (peek() != '"') break;
      field += '"';
    }
    require(at_line_end() || peek() == delimiter_, ErrorKind::kInput,
            "{}: line {}: found {} after a closing quote; expected the delimiter or the line's end "
            "(a quote inside a "
            "quoted field is \"\")",
            source_, line_, excerpt(text_.substr(at_, 20)));
    return field;
  }

  void append(std::string& field, std::string_view piece) {
    check_length(field.size() + piece.size());
    field += piece;
    line_ += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n'));
  }

  std::string_view text_;
  std::string_view source_;
  char delimiter_;
  TableLimits limits_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t record_line_ = 1;
};

void declare_columns(TableBuilder& builder, const std::vector<std::string>& header,
                     std::size_t line) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::string name(trimmed(header[i]));
    if (name.empty()) name = fmt::format("column {}", i + 1);
    require(!builder.has_column(name), ErrorKind::kInput,
            "{}: line {}: column {} appears twice; expected a header row of different names",
            builder.source(), line, excerpt(name));
    builder.column(name, line);
  }
}

}  // namespace

Table parse_csv(std::string_view text, std::string_view source, const TableLimits& limits,
                char delimiter) {
  bool returns_only = text.find('\r') != text.npos && text.find('\n') == text.npos;
  require(!returns_only, ErrorKind::kInput,
          "{}: the lines end in a carriage return alone; expected line feeds: save the file with "
          "LF or CR LF line ends",
          source);
  if (delimiter == '\0') delimiter = guess_delimiter(text);
  CsvScanner scanner(text, source, delimiter, limits);
  TableBuilder builder(source, limits);
  std::vector<std::string> fields;
  if (!scanner.next(fields)) return builder.finish();
  std::size_t width = fields.size();
  declare_columns(builder, fields, scanner.record_line());
  while (scanner.next(fields)) {
    std::size_t line = scanner.record_line();
    require(fields.size() == width, ErrorKind::kInput,
            "{}: line {}: expected {} fields (as in the header), found {}; a field that holds the "
            "delimiter must be "
            "quoted",
            source, line, width, fields.size());
    builder.begin_row(line);
    for (std::size_t i = 0; i < width; ++i) {
      Cell& cell = builder.cell(i);
      cell.kind = CellKind::kText;
      cell.text = std::move(fields[i]);
    }
  }
  return builder.finish();
}

}  // namespace inlay
