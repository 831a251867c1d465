#include "data/columns.h"

#include <span>
#include <utility>

#include "base/error.h"
#include "data/encoding.h"

namespace inlay {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kTexts[] = {
    "text",  "sentence", "review",    "content",  "document", "comment", "body",        "message",
    "tweet", "post",     "utterance", "question", "query",    "input",   "description", "title"};
constexpr std::string_view kWords[] = {"tokens", "words"};
constexpr std::string_view kLabels[] = {"label",     "labels",   "class", "target",
                                        "sentiment", "category", "topic", "intent",
                                        "polarity",  "rating",   "stars", "score"};
constexpr std::string_view kScores[] = {"score",      "target", "label", "value",
                                        "similarity", "rating", "stars"};
constexpr std::string_view kTags[] = {"tags", "ner_tags", "labels", "pos_tags", "label"};
constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
    {"sentence1", "sentence2"}, {"premise", "hypothesis"}, {"question", "answer"},
    {"question1", "question2"}, {"question", "sentence"},  {"text", "text_pair"},
    {"text1", "text2"},         {"text_a", "text_b"},
};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string column_like(const Table& table, std::string_view wanted) {
  for (const std::string& column : table.columns) {
    if (equal_ignoring_case(column, wanted)) return column;
  }
  return {};
}

std::string first_of(const Table& table, Names candidates) {
  for (std::string_view candidate : candidates) {
    std::string column = column_like(table, candidate);
    if (!column.empty()) return column;
  }
  return {};
}

ColumnChoice::One guessed(std::string name) {
  if (name.empty()) return {};
  return {.name = std::move(name), .origin = "guessed"};
}

// The first of the candidates, and the further ones that are columns of this table.
ColumnChoice::One guessed_of(const Table& table, Names candidates, const std::string& taken = {}) {
  ColumnChoice::One one;
  for (std::string_view candidate : candidates) {
    std::string column = column_like(table, candidate);
    if (column.empty() || column == taken) continue;
    if (one.name.empty()) {
      one = guessed(column);
    } else {
      one.others.push_back(column);
    }
  }
  return one;
}

std::string described(std::string_view role, const ColumnChoice::One& one) {
  std::string rather = one.others.empty() ? "" : ", rather than " + listed(one.others);
  return fmt::format("{} {} ({}{})", role, excerpt(one.name), one.origin, rather);
}

// What somebody said, checked; nothing when nobody said anything.
ColumnChoice::One stated(const Table& table, const std::string& named, const std::string& card) {
  const std::string& name = named.empty() ? card : named;
  if (name.empty()) return {};
  table.column(name);
  return {.name = name, .origin = named.empty() ? "dataset.json" : "named"};
}

Names label_names(TaskKind kind) {
  if (kind == TaskKind::kRegression) return kScores;
  if (kind == TaskKind::kTokenTags) return kTags;
  return kLabels;
}

void guess_text(ColumnChoice& choice, const Table& table, TaskKind kind) {
  if (kind == TaskKind::kTokenTags) {
    choice.text = guessed(first_of(table, kWords));
    return;
  }
  for (const auto& [first, second] : kPairs) {
    if (!choice.text_pair.name.empty()) break;
    std::string text = column_like(table, first), pair = column_like(table, second);
    if (text.empty() || pair.empty() || text == choice.label.name || pair == choice.label.name)
      continue;
    choice.text = guessed(text);
    choice.text_pair = guessed(pair);
    return;
  }
  choice.text = guessed_of(table, kTexts, choice.label.name);
  if (choice.text.name.empty() && kind == TaskKind::kUnlabelled) {
    std::string words = first_of(table, kWords);
    choice.text = guessed(words.empty() && table.columns.size() == 1 ? table.columns[0] : words);
  }
}

void refuse_overlap(const Table& table, const ColumnChoice& choice) {
  const auto& text = choice.text.name;
  const auto& pair = choice.text_pair.name;
  const auto& label = choice.label.name;
  bool overlap = text == pair || text == label || (!pair.empty() && pair == label);
  require(!overlap, ErrorKind::kInput,
          "{}: one column was chosen twice ({}); expected different ones of {}", table.source,
          choice.describe(), listed(table.columns));
}

}  // namespace

std::string_view describe(TaskKind kind) {
  switch (kind) {
    case TaskKind::kSingleLabel:
      return "single label";
    case TaskKind::kMultiLabel:
      return "multi label";
    case TaskKind::kRegression:
      return "regression";
    case TaskKind::kTokenTags:
      return "token tags";
    case TaskKind::kUnlabelled:
      return "unlabelled";
  }
  return "unknown";
}

std::string ColumnChoice::describe() const {
  std::string text_line = described("text", text);
  if (!text_pair.name.empty()) text_line += ", " + described("pair", text_pair);
  if (!label.name.empty()) text_line += ", " + described("label", label);
  return text_line;
}

ColumnChoice choose_columns(const Table& table, const ColumnNames& named, const ColumnNames& card,
                            TaskKind kind) {
  ColumnChoice choice;
  bool labelled = kind != TaskKind::kUnlabelled;
  if (labelled) choice.label = stated(table, named.label, card.label);
  if (labelled && choice.label.name.empty()) choice.label = guessed_of(table, label_names(kind));
  choice.text = stated(table, named.text, card.text);
  choice.text_pair = stated(table, named.text_pair, named.text.empty() ? card.text_pair : "");
  if (choice.text.name.empty()) guess_text(choice, table, kind);
  require(!choice.text.name.empty(), ErrorKind::kInput,
          "{}: no column looks like {}; the columns are {}; name one with --text-column",
          table.source, kind == TaskKind::kTokenTags ? "words" : "a text", listed(table.columns));
  require(!labelled || !choice.label.name.empty(), ErrorKind::kInput,
          "{}: no column looks like a label; the columns are {}; name one with --label-column",
          table.source, listed(table.columns));
  refuse_overlap(table, choice);
  return choice;
}

}  // namespace inlay
