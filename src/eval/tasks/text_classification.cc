// One class per text or pair of texts, by cross entropy.
#include "eval/single_label_task.h"

namespace inlay {

const TaskInfo& task_text_classification() {
  static const TaskInfo info{
      .name = "text-classification",
      .summary = "One class per text or pair of texts.",
      .data = TaskKind::kSingleLabel,
      .problem_type = "single_label_classification",
      .peft_type = "SEQ_CLS",
      .choosing_metrics = {"accuracy", "macro_f1", "micro_f1", "mcc", "roc_auc"},
      .headline = {"accuracy", "macro_f1", "mcc", "roc_auc"},
      .make = [](const std::vector<std::string>& classes, int64_t, const TaskOptions& options)
          -> std::unique_ptr<Task> { return std::make_unique<SingleLabelTask>(classes, options); }};
  return info;
}

}  // namespace inlay
