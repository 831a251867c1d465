// A vector of length 1 per picture, pooled from the places of the last map or the last tokens.
#include "eval/embedding_task.h"

namespace inlay {

const TaskInfo& task_image_embedding() {
  // The pictures alone are read, as of any labelled ones.
  static const TaskInfo info = embedding_info(
      "image-embedding", "A vector of length 1 per picture; for inlay predict and inlay search.",
      TaskKind::kImageLabel);
  return info;
}

}  // namespace inlay
