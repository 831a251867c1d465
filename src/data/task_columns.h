// The columns of tasks whose examples are several texts. What is not named is guessed from the
// names that well-known data sets use:
//
//   question answering   question, context, answers (SQuAD) or answer with answer_start
//   multiple choice      question, context (may be missing), choices (a list) or choice0, choice1
//   …,
//                        label
//   text pairs           anchor, positive; question, answer …; negative … (may be missing)
//   text triplets        anchor, positive, negative
//   scored pairs         sentence1, sentence2, score
#pragma once

#include "data/columns.h"

namespace inlay {

// What choose_columns() does for a kind that is of_several_texts(); a column may be chosen twice.
ColumnChoice choose_task_columns(const Table& table, const ColumnNames& named,
                                 const ColumnNames& card, TaskKind kind);

}  // namespace inlay
