#include "data/task_rows.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "data/cell_values.h"
#include "data/characters.h"
#include "data/encoding.h"

namespace inlay {
namespace {

std::optional<std::int64_t> integer_in(std::string_view written) {
  std::string_view text = trimmed(written);
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A cell as strings: a list's items, or one scalar. Nothing for an empty or missing cell.
std::vector<std::string> items_of(const CellPlace& place, std::string_view expected) {
  const Cell& cell = place.cell();
  if (cell.kind == CellKind::kTextList || cell.kind == CellKind::kNumberList) return cell.items;
  if (cell.kind == CellKind::kMissing || (cell.kind == CellKind::kText && cell.text.empty()))
    return {};
  if (cell.kind == CellKind::kNested) wrong_value(place, expected);
  return {cell.text};
}

// The member of an object that a cell holds as JSON, as a list.
Json list_in(const CellPlace& place, const Json& object, const char* key) {
  if (!object.contains(key)) return Json::array();
  const Json& member = object[key];
  require(member.is_array(), ErrorKind::kInput, "{}: \"{}\" is {}; expected a list", place.where(),
          key, member.type_name());
  return member;
}

Json object_in(const CellPlace& place, std::string_view expected) {
  Json object = Json::parse(place.cell().text, nullptr, false);
  if (!object.is_object()) wrong_value(place, expected);
  return object;
}

struct WrittenAnswers {
  std::vector<std::string> texts;
  std::vector<std::string> starts;  // empty: not said
};

constexpr std::string_view kAnswerForms =
    R"(an answer, a list of them, or {"text": [...], "answer_start": [...]})";

WrittenAnswers answers_in(const Table& table, const ColumnChoice& columns, std::size_t row) {
  WrittenAnswers written;
  CellPlace place{table, table.column(columns.label.name), row};
  if (place.cell().kind != CellKind::kNested) {
    written.texts = items_of(place, kAnswerForms);
    if (!columns.further.empty()) {
      written.starts = items_of({table, table.column(columns.further[0].name), row}, "a number");
    }
    return written;
  }
  Json object = object_in(place, kAnswerForms);
  for (const Json& text : list_in(place, object, "text")) {
    if (!text.is_string()) wrong_value(place, kAnswerForms);
    written.texts.push_back(text.get<std::string>());
  }
  for (const Json& start : list_in(place, object, "answer_start")) {
    written.starts.push_back(start.dump());
  }
  return written;
}

// Where the answer stands in the context, in characters.
std::int64_t answer_start(const CellPlace& place, const std::string& context,
                          const std::string& answer, const std::string* written) {
  if (written == nullptr) {
    std::size_t byte = context.find(answer);
    require(byte != context.npos, ErrorKind::kInput,
            "{}: the answer {} is not in the context; an answer must be copied from it",
            place.where(), excerpt(answer));
    return character_count(std::string_view(context).substr(0, byte));
  }
  std::optional<std::int64_t> start = integer_in(*written);
  require(start.has_value() && *start >= 0, ErrorKind::kInput,
          "{}: the answer begins at {}; expected a character of the context, from 0", place.where(),
          excerpt(*written));
  std::string_view there = characters(context, *start, *start + character_count(answer));
  require(there == answer, ErrorKind::kInput,
          "{}: the answer {} is not at character {} of the context, where {} stands; count in "
          "characters, from 0",
          place.where(), excerpt(answer), *start, excerpt(there));
  return *start;
}

void read_answers(Example& example, const Table& table, const ColumnChoice& columns,
                  std::size_t row) {
  CellPlace place{table, table.column(columns.label.name), row};
  WrittenAnswers written = answers_in(table, columns, row);
  require(written.starts.empty() || written.starts.size() == written.texts.size(),
          ErrorKind::kInput, "{}: {} answers with {} starts; expected as many of both",
          place.where(), written.texts.size(), written.starts.size());
  std::vector<Answer>& answers = example.answers.emplace();
  for (std::size_t i = 0; i < written.texts.size(); ++i) {
    const std::string& text = written.texts[i];
    require(!trimmed(text).empty(), ErrorKind::kInput,
            "{}: an answer is blank; a question without one has none", place.where());
    const std::string* start = written.starts.empty() ? nullptr : &written.starts[i];
    answers.push_back({text, answer_start(place, example.text_pair, text, start)});
  }
}

struct Choices {
  std::vector<std::string> texts;
  std::vector<std::string> names;  // "A", "B" …, where the data gives them
};

constexpr std::string_view kChoiceForms =
    R"(a list of choices, or {"text": [...], "label": [...]})";

Choices choices_in(const Table& table, const ColumnChoice& columns, std::size_t row) {
  Choices choices;
  for (const ColumnChoice::One& one : columns.further) {
    CellPlace place{table, table.column(one.name), row};
    if (place.cell().kind != CellKind::kNested) {
      for (std::string& item : items_of(place, kChoiceForms)) choices.texts.push_back(item);
      continue;
    }
    Json object = object_in(place, kChoiceForms);
    for (const Json& text : list_in(place, object, "text")) {
      if (!text.is_string()) wrong_value(place, kChoiceForms);
      choices.texts.push_back(text.get<std::string>());
    }
    for (const Json& name : list_in(place, object, "label"))
      choices.names.push_back(name.is_string() ? name.get<std::string>() : name.dump());
  }
  CellPlace place{table, table.column(columns.further[0].name), row};
  require(choices.texts.size() >= 2, ErrorKind::kInput,
          "{}: found {} choice{}; expected at least two", place.where(), choices.texts.size(),
          choices.texts.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < choices.texts.size(); ++i) {
    require(!trimmed(choices.texts[i]).empty(), ErrorKind::kInput, "{}: choice {} is empty",
            place.where(), i);
  }
  return choices;
}

std::int32_t right_choice(const CellPlace& place, const Choices& choices) {
  std::string label = label_of(place);
  auto count = static_cast<std::int64_t>(choices.texts.size());
  auto named = [&](const std::vector<std::string>& names) -> std::int64_t {
    auto found = std::find(names.begin(), names.end(), label);
    return found == names.end() ? -1 : found - names.begin();
  };
  std::int64_t right = named(choices.names);
  if (right < 0) {
    std::optional<std::int64_t> number = integer_in(label);
    if (number.has_value()) {
      right = *number;
    } else if (label.size() == 1 && label[0] >= 'A' && label[0] <= 'Z') {
      right = label[0] - 'A';
    } else {
      right = named(choices.texts);
    }
  }
  require(
      right >= 0 && right < count, ErrorKind::kInput,
      "{}: the label {} is none of {} choices; expected a number from 0 to {}, a letter from A, "
      "or the text of a choice",
      place.where(), excerpt(label), count, count - 1);
  return static_cast<std::int32_t>(right);
}

void read_score(Example& example, const CellPlace& place) {
  example.values = values_of(place);
  bool sound = example.values.size() == 1 && std::abs(example.values[0]) <= 1;
  require(sound, ErrorKind::kInput,
          "{}: the score is {}; expected one number between -1 and 1, as a cosine has: divide by "
          "the largest score",
          place.where(), place.cell().text.empty() ? "a list" : place.cell().text);
}

}  // namespace

void read_task_row(Example& example, const Table& table, const ColumnChoice& columns,
                   std::size_t row, TaskKind kind, bool targets) {
  example.text = text_of({table, table.column(columns.text.name), row});
  if (!columns.text_pair.name.empty())
    example.text_pair = text_of({table, table.column(columns.text_pair.name), row});
  bool labelled = targets && !columns.label.name.empty();
  if (kind == TaskKind::kQuestionAnswering) {
    if (labelled) read_answers(example, table, columns, row);
    return;
  }
  if (kind == TaskKind::kMultipleChoice) {
    Choices choices = choices_in(table, columns, row);
    if (labelled)
      example.class_id = right_choice({table, table.column(columns.label.name), row}, choices);
    example.further = std::move(choices.texts);
    return;
  }
  for (const ColumnChoice::One& one : columns.further) {
    CellPlace place{table, table.column(one.name), row};
    for (std::string& text : items_of(place, "a text or a list of texts")) {
      require(!trimmed(text).empty(), ErrorKind::kInput, "{}: a text is empty", place.where());
      example.further.push_back(std::move(text));
    }
    require(kind != TaskKind::kTextTriplets || example.further.size() == 1, ErrorKind::kInput,
            "{}: found {} texts; expected one that does not go with the anchor", place.where(),
            example.further.size());
  }
  if (labelled) read_score(example, {table, table.column(columns.label.name), row});
}

}  // namespace inlay
