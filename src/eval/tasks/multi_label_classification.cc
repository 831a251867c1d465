// Any number of labels per text, by binary cross entropy of each.
#include "eval/multi_label_task.h"

namespace inlay {

const TaskInfo& task_multi_label_classification() {
  static const TaskInfo info{
      .name = "multi-label-classification",
      .summary = "Any number of labels per text.",
      .data = TaskKind::kMultiLabel,
      .problem_type = "multi_label_classification",
      .peft_type = "SEQ_CLS",
      .choosing_metrics = {"micro_f1", "macro_f1", "accuracy", "label_accuracy", "roc_auc"},
      .headline = {"accuracy", "macro_f1", "micro_f1", "roc_auc"},
      .make = [](const std::vector<std::string>& classes, int64_t, const TaskOptions&)
          -> std::unique_ptr<Task> { return std::make_unique<MultiLabelTask>(classes); }};
  return info;
}

}  // namespace inlay
