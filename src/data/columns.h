// Which column is the text, its pair and the label: as named by the caller, by dataset.json, or
// guessed from the names people usually give them. What was chosen and why is kept, so that it can
// be printed.
//
//   ColumnChoice choice = choose_columns(table, named, card, TaskKind::kSingleLabel);
//   choice.describe();   // text "review" (guessed, rather than "body"), label "class"
//   (dataset.json)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/sources.h"
#include "data/table.h"

namespace inlay {

enum class TaskKind {
  kSingleLabel,
  kMultiLabel,
  kRegression,
  kTokenTags,
  kUnlabelled,
  kQuestionAnswering,  // a question, a context, answers within it
  kMultipleChoice,     // a question, perhaps a context, choices, the right one
  kTextPairs,          // two texts that go together, perhaps others that do not
  kTextTriplets,       // an anchor, a text that goes with it, one that does not
  kScoredPairs,        // two texts and how alike they are
  kLanguage,           // conversations and texts to be continued (data/chat/)
  kPreference,         // two answers to a prompt, the better one first (data/chat/)
  kImageLabel,         // a picture and its class (data/images/)
  kImageLabels,        // a picture and any number of classes
  kImageValues,        // a picture and numbers
  kImageBoxes,         // a picture and the boxes of the objects in it
  kImageIdentity,      // a picture and who or what it shows; other ones in every part
};

// Whether an example is a picture.
bool of_images(TaskKind kind);

// Whether it is a picture with one label: its class, or who or what it shows.
bool of_labelled_images(TaskKind kind);

// Whether an example has texts of its own roles (data/task_columns.h), rather than one text or
// pair.
bool of_several_texts(TaskKind kind);

std::string_view describe(TaskKind kind);  // "single label", "multi label" …

struct ColumnChoice {
  struct One {
    std::string name = {};                 // empty: no such column
    std::string origin = {};               // "named", "dataset.json" or "guessed"
    std::vector<std::string> others = {};  // columns that a guess could have taken as well
  };
  One text, text_pair, label, adapter;
  // In order: choices, texts that do not go with the first, or where an answer begins.
  std::vector<One> further = {};

  std::string describe() const;
};

// A column named by the caller or the card must exist. Guessing goes through fixed lists in order,
// case ignored: text is text, sentence, review, content …; pairs are sentence1/sentence2,
// premise/hypothesis, question/answer, text/text_pair …; label is label, labels, class, target,
// sentiment …. A pair is only guessed when the text is not named either. An unlabelled task with a
// single column takes that one. Nothing found is an Error that lists the columns.
ColumnChoice choose_columns(const Table& table, const ColumnNames& named, const ColumnNames& card,
                            TaskKind kind);

}  // namespace inlay
