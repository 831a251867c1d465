// A vector of length 1 per text, pooled from the last hidden states (Reimers and Gurevych 2019).
#include "eval/embedding_task.h"

namespace inlay {

const TaskInfo& task_sentence_embedding() {
  static const TaskInfo info = embedding_info(
      "sentence-embedding", "A vector of length 1 per text; for inlay predict and inlay search.",
      TaskKind::kUnlabelled);
  return info;
}

}  // namespace inlay
