#include "data/chat/chat_record.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/ordered_json.h"
#include "data/csv.h"
#include "data/encoding.h"
#include "data/input.h"
#include "data/json_rows.h"
#include "data/table.h"
#include "data/text_format.h"

namespace inlay {
namespace {

std::size_t count_values(const OrderedJson& value) {
  std::size_t count = 1;
  if (!value.is_structured()) return count;
  for (const OrderedJson& item : value) count += count_values(item);
  return count;
}

class RecordReader {
 public:
  RecordReader(std::string_view text, std::string source, const ChatLimits& limits,
               const ChatRecordVisitor& visit)
      : text_(text), source_(std::move(source)), limits_(limits), visit_(visit) {}

  // How many records there were.
  std::size_t read(const std::string& path) {
    if (path.ends_with(".txt")) {
      read_documents();
    } else {
      read_rows(text_format(text_, path));
    }
    require(rows_ > 0, ErrorKind::kInput, "{}: found no records; expected at least one", source_);
    return rows_;
  }

 private:
  void read_rows(TextFormat format) {
    switch (format) {
      case TextFormat::kCsv:
        return read_table(parse_csv(text_, source_, table_limits()));
      case TextFormat::kTsv:
        return read_table(parse_csv(text_, source_, table_limits(), '\t'));
      case TextFormat::kJsonLines:
        return each_json_line(text_, [&](const JsonRow& row) { read_json(row, ""); });
      case TextFormat::kJsonArray:
        return each_json_element(text_, source_, [&](const JsonRow& row) {
          read_json(row, fmt::format(", record {}", rows_ + 1));
        });
    }
  }

  TableLimits table_limits() const {
    return {.file_bytes = limits_.file_bytes, .field_bytes = limits_.record_bytes};
  }

  void read_table(const Table& table) {
    for (std::size_t row = 0; row < table.rows(); ++row) {
      OrderedJson fields = OrderedJson::object();
      for (std::size_t column = 0; column < table.columns.size(); ++column)
        fields[table.columns[column]] = table.cells[column][row].text;
      add(std::move(fields), table.lines[row], "");
    }
  }

  void read_json(const JsonRow& row, const std::string& further) {
    std::string where = fmt::format("{}: line {}{}", source_, row.line, further);
    require(row.text.size() <= limits_.record_bytes, ErrorKind::kInput,
            "{}: a record of {} bytes; expected at most {}", where, row.text.size(),
            limits_.record_bytes);
    OrderedJson fields = parse_ordered_json(row.text, where);
    require(fields.is_object(), ErrorKind::kInput, "{}: found {}; expected a JSON object", where,
            fields.type_name());
    add(std::move(fields), row.line, further);
  }

  // Stretches of lines that are not blank.
  void read_documents() {
    std::string document;
    std::size_t line = 0, begins = 0;
    std::string_view rest = text_;
    while (!rest.empty()) {
      std::string_view row = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(row.size() + 1, rest.size()));
      ++line;
      if (row.ends_with('\r')) row.remove_suffix(1);
      if (trimmed(row).empty()) {
        add_document(document, begins);
        continue;
      }
      if (document.empty()) begins = line;
      if (!document.empty()) document += '\n';
      document += row;
    }
    add_document(document, begins);
  }

  void add_document(std::string& document, std::size_t line) {
    if (document.empty()) return;
    require(document.size() <= limits_.record_bytes, ErrorKind::kInput,
            "{}: line {}: a document of {} bytes without a blank line; expected at most {}",
            source_, line, document.size(), limits_.record_bytes);
    add({{"text", document}}, line, "");
    document.clear();
  }

  void add(OrderedJson fields, std::size_t line, const std::string& further) {
    values_ += count_values(fields);
    require(values_ <= limits_.values, ErrorKind::kInput,
            "{}: line {}: more than {} values in one file; split the file", source_, line,
            limits_.values);
    ++rows_;
    visit_({.fields = std::move(fields),
            .where = fmt::format("{}: line {}{}", source_, line, further),
            .line = line,
            .row = rows_});
  }

  std::string_view text_;
  std::string source_;
  const ChatLimits& limits_;
  const ChatRecordVisitor& visit_;
  std::size_t rows_ = 0;
  std::size_t values_ = 0;
};

std::vector<std::string> keys_of(const OrderedJson& fields) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : fields.items()) keys.push_back(key);
  return keys;
}

}  // namespace

const OrderedJson* ChatRecord::find(const std::string& key) const {
  auto found = fields.find(key);
  if (key.empty() || found == fields.end() || found->is_null()) return nullptr;
  bool blank = found->is_string() && found->get_ref<const std::string&>().empty();
  return blank ? nullptr : &*found;
}

const std::string& ChatRecord::text(const std::string& key) const {
  auto found = fields.find(key);
  if (found == fields.end()) missing(key, "a string");
  require(found->is_string(), ErrorKind::kInput, "{}: key {} holds {}; expected a string", where,
          excerpt(key), found->type_name());
  return found->get_ref<const std::string&>();
}

std::string ChatRecord::text_or_empty(const std::string& key) const {
  return find(key) == nullptr ? std::string() : text(key);
}

void ChatRecord::missing(const std::string& key, std::string_view expected) const {
  fail(ErrorKind::kInput, "{}: key {} is missing; expected {}; the keys are {}", where,
       excerpt(key), expected, listed(keys_of(fields)));
}

DataFile each_chat_record(const std::string& path, const ChatLimits& limits,
                          const ChatRecordVisitor& visit) {
  std::string bytes = read_input(path, limits.file_bytes), source = input_name(path);
  std::string_view text = checked_text(bytes, source);
  std::size_t rows = RecordReader(text, source, limits, visit).read(path);
  return {.path = source, .sha256 = hex(sha256(bytes)), .rows = rows};
}

}  // namespace inlay
