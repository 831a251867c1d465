// A vector of length 1 per picture, pooled from the places of the last map or the last tokens.
#include "eval/embedding_task.h"

namespace inlay {

const TaskInfo& task_image_embedding() {
  // The pictures alone are read, as of any labelled ones.
  static const TaskInfo info{
      .name = "image-embedding",
      .summary = "A vector of length 1 per picture; for inlay predict and inlay search.",
      .data = TaskKind::kImageLabel,
      .layer = OutputLayer::kPooling,
      .trainable = false,
      .problem_type = "",
      .peft_type = "FEATURE_EXTRACTION",
      .choosing_metrics = {},
      .headline = {},
      .make = [](const std::vector<std::string>&, int64_t outputs, const TaskOptions&)
          -> std::unique_ptr<Task> { return std::make_unique<EmbeddingTask>(outputs); }};
  return info;
}

}  // namespace inlay
