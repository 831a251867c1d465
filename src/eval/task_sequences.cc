#include "eval/task_sequences.h"

#include "eval/choice_continuations.h"

namespace inlay {

std::vector<EncodedExample> encode_for_task(const TaskInfo& task, const Dataset& data,
                                            const Tokenizer& tokenizer, const BaseFacts& base,
                                            int64_t max_tokens) {
  bool continued = task.layer == OutputLayer::kNextToken && data.kind == TaskKind::kMultipleChoice;
  return continued ? encode_continuations(data, tokenizer, base, max_tokens)
                   : encode_examples(data, tokenizer, base, max_tokens);
}

}  // namespace inlay
