// The examples of a data set as a task's model reads them.
#pragma once

#include "eval/task.h"

namespace inlay {

// As encode_examples(); the choices of a language model go on from their question
// (choice_continuations.h).
std::vector<EncodedExample> encode_for_task(const TaskInfo& task, const Dataset& data,
                                            const Tokenizer& tokenizer, const BaseFacts& base,
                                            int64_t max_tokens);

}  // namespace inlay
