#include "data/json_row.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::string_view kExample = R"({"text": "…", "label": "…"})";

// Receives the parser's events and writes cells. Depth 0 is outside the row, 1 inside the object, 2
// inside a list.
class RowHandler : public nlohmann::json_sax<Json> {
 public:
  RowHandler(TableBuilder& builder, std::string_view row, std::size_t line)
      : builder_(builder), row_(row), line_(line) {}

  bool null() override {
    if (keeping_) return keep("null");
    return depth_ == 1 || value(CellKind::kNested, "");
  }
  bool boolean(bool flag) override { return value(CellKind::kBoolean, flag ? "true" : "false"); }
  bool number_integer(number_integer_t number) override {
    return value(CellKind::kNumber, std::to_string(number));
  }
  bool number_unsigned(number_unsigned_t number) override {
    return value(CellKind::kNumber, std::to_string(number));
  }
  bool number_float(number_float_t, const string_t& written) override {
    return value(CellKind::kNumber, written);
  }
  bool binary(binary_t&) override { return value(CellKind::kNested, ""); }

  bool string(string_t& text) override {
    require(text.size() <= builder_.limits().field_bytes, ErrorKind::kInput,
            "{}: line {}: a string of {} bytes; the limit is {}", builder_.source(), line_,
            text.size(), builder_.limits().field_bytes);
    if (keeping_) return keep(Json(text).dump());
    return value(CellKind::kText, std::move(text));
  }

  bool key(string_t& name) override {
    if (keeping_) return keep(Json(name).dump() + ':', true);
    if (depth_ != 1) return true;
    column_ = builder_.column(name, line_);
    require(columns_seen_.insert(column_).second, ErrorKind::kInput,
            "{}: line {}: key {} appears twice in one object; remove one of them",
            builder_.source(), line_, excerpt(name));
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_++ == 0) return true;
    cell().kind = CellKind::kNested;
    if (depth_ == 2) keeping_ = builder_.limits().objects;
    return !keeping_ || keep("{", true);
  }

  bool start_array(std::size_t) override {
    if (depth_ == 0) not_an_object("a list");
    if (keeping_) {
      ++depth_;
      return keep("[", true);
    }
    cell().kind = depth_ == 1 ? CellKind::kTextList : CellKind::kNested;
    ++depth_;
    return true;
  }

  bool end_object() override { return leave('}'); }
  bool end_array() override { return leave(']'); }

  bool parse_error(std::size_t position, const std::string& last, const Json::exception&) override {
    std::string_view before = row_.substr(0, std::min(position, row_.size()));
    auto further = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    fail(ErrorKind::kInput,
         "{}: line {}: not valid JSON at {}, {} bytes into the row; expected an object like {}",
         builder_.source(), line_ + further, excerpt(last), position, kExample);
  }

 private:
  Cell& cell() { return builder_.cell(column_); }

  [[noreturn]] void not_an_object(std::string_view found) const {
    fail(ErrorKind::kInput, "{}: line {}: found {}; expected a JSON object like {}",
         builder_.source(), line_, found, kExample);
  }

  // An object in a cell as JSON, for the tasks that look into it.
  bool keep(std::string_view written, bool opens = false) {
    std::string& text = cell().text;
    if (!opened_) text += ',';
    text += written;
    opened_ = opens;
    return true;
  }

  bool leave(char bracket) {
    if (keeping_) {
      cell().text += bracket;
      opened_ = false;
      keeping_ = depth_ > 2;
      if (!keeping_) opened_ = true;
    }
    if (--depth_ == 1 && cell().kind == CellKind::kNested) cell().items.clear();
    return true;
  }

  bool value(CellKind kind, std::string text) {
    if (keeping_) return keep(text);
    if (depth_ == 0) not_an_object(describe(kind));
    if (depth_ == 1) {
      cell().kind = kind;
      cell().text = std::move(text);
    } else if (depth_ == 2 && cell().kind != CellKind::kNested) {
      add_item(kind, std::move(text));
    }
    return true;
  }

  // A list is of the kind of its first item, and nested as soon as another kind follows.
  void add_item(CellKind kind, std::string text) {
    CellKind wanted = CellKind::kNested;
    if (kind == CellKind::kText) wanted = CellKind::kTextList;
    if (kind == CellKind::kNumber) wanted = CellKind::kNumberList;
    Cell& list = cell();
    if (list.items.empty()) list.kind = wanted;
    if (list.kind != wanted) list.kind = CellKind::kNested;
    if (list.kind == CellKind::kNested) return;
    builder_.count_item(line_);
    list.items.push_back(std::move(text));
  }

  TableBuilder& builder_;
  std::string_view row_;
  std::size_t line_;
  std::size_t depth_ = 0;
  bool keeping_ = false;  // inside an object that is a cell
  bool opened_ = true;    // nothing stands before the next value
  std::size_t column_ = 0;
  std::set<std::size_t> columns_seen_;
};

}  // namespace

void parse_json_row(TableBuilder& builder, std::string_view row, std::size_t line) {
  require(row.size() <= builder.limits().row_bytes, ErrorKind::kInput,
          "{}: line {}: a row of {} bytes; the limit is {}", builder.source(), line, row.size(),
          builder.limits().row_bytes);
  builder.begin_row(line);
  RowHandler handler(builder, row, line);
  Json::sax_parse(row.begin(), row.end(), &handler);
}

}  // namespace inlay
