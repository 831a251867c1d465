#include "data/task_columns.h"

#include <utility>

#include "base/error.h"
#include "data/column_names.h"
#include "data/encoding.h"

namespace inlay {
namespace {

constexpr std::string_view kQuestions[] = {"question", "query", "prompt", "premise", "goal",
                                           "ctx",      "sent2", "text",   "sentence"};
constexpr std::string_view kContexts[] = {"context", "passage", "article", "paragraph", "sent1"};
constexpr std::string_view kAnswers[] = {"answers", "answer", "answer_text"};
constexpr std::string_view kStarts[] = {"answer_start", "answer_starts"};
constexpr std::string_view kChoiceLists[] = {"choices", "options", "endings", "candidates"};
constexpr std::string_view kChoiceStems[] = {"choice",    "option", "ending",
                                             "candidate", "sol",    "answer"};
constexpr std::string_view kRightChoices[] = {"label", "answer", "answerKey", "correct", "target"};
constexpr std::string_view kScores[] = {"score", "similarity", "label", "value", "target"};
constexpr std::string_view kNegatives[] = {"negative", "negatives", "hard_negative"};
constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
    {"anchor", "positive"},     {"query", "positive"},     {"query", "passage"},
    {"query", "document"},      {"question", "answer"},    {"sentence1", "sentence2"},
    {"question1", "question2"}, {"premise", "hypothesis"}, {"text", "text_pair"},
    {"text1", "text2"},         {"text_a", "text_b"},
};

// Columns of one stem and the numbers from 0 or 1, or the letters from A: choice0, choice_1, solA.
std::vector<ColumnChoice::One> numbered(const Table& table, std::string_view stem) {
  for (char first : {'0', '1', 'A'}) {
    std::vector<ColumnChoice::One> found;
    for (int i = 0;; ++i) {
      std::string suffix = first == 'A' ? std::string(1, static_cast<char>('A' + i))
                                        : std::to_string(first - '0' + i);
      std::string column = column_like(table, fmt::format("{}{}", stem, suffix));
      if (column.empty()) column = column_like(table, fmt::format("{}_{}", stem, suffix));
      if (column.empty() || (first == 'A' && i >= 26)) break;
      found.push_back(guessed(column));
    }
    if (!found.empty()) return found;
  }
  return {};
}

std::vector<ColumnChoice::One> one_or_numbered(const Table& table, Names names, Names stems) {
  std::string list = first_of(table, names);
  if (!list.empty()) return {guessed(list)};
  for (std::string_view stem : stems) {
    std::vector<ColumnChoice::One> found = numbered(table, stem);
    if (!found.empty()) return found;
  }
  return {};
}

// Names with commas between, all of which must be columns.
std::vector<ColumnChoice::One> stated_further(const Table& table, const ColumnNames& named,
                                              const ColumnNames& card) {
  std::vector<ColumnChoice::One> all;
  std::string_view rest = named.further.empty() ? card.further : named.further;
  while (!rest.empty()) {
    std::string name(trimmed(rest.substr(0, rest.find(','))));
    rest.remove_prefix(
        std::min(rest.size(), rest.find(',') == rest.npos ? rest.size() : rest.find(',') + 1));
    all.push_back(named.further.empty() ? stated(table, "", name) : stated(table, name, ""));
  }
  return all;
}

void guess_pair(ColumnChoice& choice, const Table& table) {
  for (const auto& [first, second] : kPairs) {
    std::string text = column_like(table, first), pair = column_like(table, second);
    if (text.empty() || pair.empty()) continue;
    if (choice.text.name.empty()) choice.text = guessed(text);
    if (choice.text_pair.name.empty()) choice.text_pair = guessed(pair);
    return;
  }
}

void guess_texts(ColumnChoice& choice, const Table& table, TaskKind kind) {
  bool asks = kind == TaskKind::kQuestionAnswering || kind == TaskKind::kMultipleChoice;
  if (!asks && (choice.text.name.empty() || choice.text_pair.name.empty()))
    guess_pair(choice, table);
  if (!asks) return;
  if (choice.text.name.empty()) choice.text = guessed_of(table, kQuestions);
  if (choice.text_pair.name.empty()) choice.text_pair = guessed(first_of(table, kContexts));
}

std::vector<ColumnChoice::One> guess_further(const Table& table, TaskKind kind) {
  switch (kind) {
    case TaskKind::kQuestionAnswering:
      return one_or_numbered(table, kStarts, {});
    case TaskKind::kMultipleChoice:
      return one_or_numbered(table, kChoiceLists, kChoiceStems);
    case TaskKind::kTextPairs:
    case TaskKind::kTextTriplets:
      return one_or_numbered(table, kNegatives, kNegatives);
    default:
      return {};
  }
}

Names label_names(TaskKind kind) {
  switch (kind) {
    case TaskKind::kQuestionAnswering:
      return kAnswers;
    case TaskKind::kMultipleChoice:
      return kRightChoices;
    case TaskKind::kScoredPairs:
      return kScores;
    default:
      return {};
  }
}

// What the kind cannot do without.
void require_columns(const ColumnChoice& choice, const Table& table, TaskKind kind) {
  auto needs = [&](bool found, std::string_view what, std::string_view flag) {
    require(found, ErrorKind::kInput, "{}: no column looks like {}; the columns are {}; name {}",
            table.source, what, listed(table.columns), flag);
  };
  bool asks = kind == TaskKind::kQuestionAnswering || kind == TaskKind::kMultipleChoice;
  needs(!choice.text.name.empty(), asks ? "a question" : "the first of two texts",
        "it with --text-column");
  bool pair = kind != TaskKind::kMultipleChoice;
  needs(!pair || !choice.text_pair.name.empty(), asks ? "a context" : "the second of two texts",
        "it with --text-pair-column");
  needs(kind != TaskKind::kMultipleChoice || !choice.further.empty(), "choices",
        "them with --further-columns");
  needs(kind != TaskKind::kTextTriplets || choice.further.size() == 1,
        "the one text that does not go with the anchor", "it with --further-columns");
}

}  // namespace

ColumnChoice choose_task_columns(const Table& table, const ColumnNames& named,
                                 const ColumnNames& card, TaskKind kind) {
  ColumnChoice choice;
  choice.text = stated(table, named.text, card.text);
  choice.text_pair = stated(table, named.text_pair, named.text.empty() ? card.text_pair : "");
  choice.further = stated_further(table, named, card);
  guess_texts(choice, table, kind);
  if (choice.further.empty()) choice.further = guess_further(table, kind);
  if (!label_names(kind).empty()) choice.label = stated(table, named.label, card.label);
  for (std::string_view name : label_names(kind)) {
    if (!choice.label.name.empty()) break;
    choice.label = guessed(column_like(table, name));
  }
  require_columns(choice, table, kind);
  return choice;
}

}  // namespace inlay
