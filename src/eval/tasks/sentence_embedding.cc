// A vector of length 1 per text, pooled from the last hidden states (Reimers and Gurevych 2019).
#include "eval/embedding_task.h"

namespace inlay {

const TaskInfo& task_sentence_embedding() {
  static const TaskInfo info{
      .name = "sentence-embedding",
      .summary = "A vector of length 1 per text; for inlay predict and inlay search.",
      .data = TaskKind::kUnlabelled,
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
