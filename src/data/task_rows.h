// Rows of the tasks whose examples are several texts, as examples. Errors name file, line and
// column, what was found and what was expected.
#pragma once

#include "data/dataset.h"
#include "data/table.h"

namespace inlay {

// Sets the texts and, where the kind has one and `targets` is set, the target of the row:
//
//   question answering   text, text_pair, answers. An answer must stand in the context where it
//                        says; without a start its first occurrence counts; no answer is one, too.
//   multiple choice      text, text_pair if any, further (two choices or more), class_id. The label
//                        is a number from 0, a letter from A, a name that the choices have, or the
//                        text of a choice.
//   text pairs           text, text_pair, further (any number)
//   text triplets        text, text_pair, further (one)
//   scored pairs         text, text_pair, values (one, between -1 and 1)
void read_task_row(Example& example, const Table& table, const ColumnChoice& columns,
                   std::size_t row, TaskKind kind, bool targets);

}  // namespace inlay
