#include "cli/column_flags.h"

namespace inlay::cli {

void add_column_flags(CLI::App& command, ColumnNames& names, TableUse use) {
  command.add_option("--text-column", names.text, "the column with the text; guessed when empty");
  command.add_option("--text-pair-column", names.text_pair,
                     "the column with the second text of a pair; guessed when empty");
  command.add_option("--further-columns", names.further,
                     "the columns of choices, negatives or an answer's start, with commas between; "
                     "guessed when empty");
  if (use == TableUse::kLabelled) {
    command.add_option("--label-column", names.label,
                       "the column with the label; guessed when empty");
  }
}

}  // namespace inlay::cli
