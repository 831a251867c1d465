#include "data/columns.h"

#include <utility>

#include "base/error.h"
#include "data/column_names.h"
#include "data/encoding.h"
#include "data/task_columns.h"

namespace inlay {
namespace {

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

std::string described(std::string_view role, const ColumnChoice::One& one) {
  std::string rather = one.others.empty() ? "" : ", rather than " + listed(one.others);
  return fmt::format("{} {} ({}{})", role, excerpt(one.name), one.origin, rather);
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
    case TaskKind::kQuestionAnswering:
      return "question answering";
    case TaskKind::kMultipleChoice:
      return "multiple choice";
    case TaskKind::kTextPairs:
      return "text pairs";
    case TaskKind::kTextTriplets:
      return "text triplets";
    case TaskKind::kScoredPairs:
      return "scored pairs";
    case TaskKind::kLanguage:
      return "language";
    case TaskKind::kPreference:
      return "preference";
    case TaskKind::kImageLabel:
      return "image label";
    case TaskKind::kImageLabels:
      return "image labels";
    case TaskKind::kImageValues:
      return "image values";
    case TaskKind::kImageBoxes:
      return "image boxes";
    case TaskKind::kImageIdentity:
      return "image identity";
  }
  return "unknown";
}

bool of_images(TaskKind kind) {
  return kind == TaskKind::kImageLabel || kind == TaskKind::kImageLabels ||
         kind == TaskKind::kImageValues || kind == TaskKind::kImageBoxes ||
         kind == TaskKind::kImageIdentity;
}

bool of_labelled_images(TaskKind kind) {
  return kind == TaskKind::kImageLabel || kind == TaskKind::kImageIdentity;
}

bool of_several_texts(TaskKind kind) {
  return kind == TaskKind::kQuestionAnswering || kind == TaskKind::kMultipleChoice ||
         kind == TaskKind::kTextPairs || kind == TaskKind::kTextTriplets ||
         kind == TaskKind::kScoredPairs;
}

std::string ColumnChoice::describe() const {
  std::string text_line = described("text", text);
  if (!text_pair.name.empty()) text_line += ", " + described("pair", text_pair);
  if (!label.name.empty()) text_line += ", " + described("label", label);
  for (const One& one : further) text_line += ", " + described("further", one);
  if (!adapter.name.empty()) text_line += ", " + described("adapter", adapter);
  return text_line;
}

namespace {

// Of a text or a pair, and its label.
ColumnChoice choose_text_columns(const Table& table, const ColumnNames& named,
                                 const ColumnNames& card, TaskKind kind) {
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
  return choice;
}

}  // namespace

ColumnChoice choose_columns(const Table& table, const ColumnNames& named, const ColumnNames& card,
                            TaskKind kind) {
  ColumnChoice choice = of_several_texts(kind) ? choose_task_columns(table, named, card, kind)
                                               : choose_text_columns(table, named, card, kind);
  choice.adapter = stated(table, named.adapter, "");
  refuse_overlap(table, choice);
  return choice;
}

}  // namespace inlay
